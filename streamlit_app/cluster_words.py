"""How the machines do, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ray_backend.domain.cluster import Node, PartState
from ray_backend.domain.cluster_health import SLOW_S, Complaint, Trouble
from ray_backend.domain.figures import Moment
from streamlit_app.i18n import N_, _, n_

STATES = {
    PartState.READY: N_("works"),
    PartState.STARTING: N_("starts"),
    PartState.AWAY: N_("is being restarted"),
    PartState.LEAVING: N_("finishes and leaves"),
}

DECISIONS = {
    "match": N_("Recognised"),
    "ambiguous": N_("Two people too close"),
    "unknown": N_("Nobody known"),
    "poor_quality": N_("Picture not good enough"),
    "spoof": N_("Picture held up"),
    "no_face": N_("No face"),
}


def decision(kind: str) -> str:
    """What became of a face; a kind without words of its own as it is counted."""
    return _(DECISIONS[kind]) if kind in DECISIONS else kind


def complaint(one: Complaint) -> str:
    """What is wrong, what it means for people, and what to do."""
    return _WORDS[one.trouble](one)


def state(which: PartState) -> str:
    """How a part does."""
    return _(STATES[which])


def machine_state(node: Node) -> str:
    """How a machine does."""
    if not node.alive:
        return _("gone")
    return _("is being emptied") if node.draining else _("works")


def throughput(moments: Sequence[Moment]) -> str:
    """The plot of pictures, for who cannot see it."""
    values = [moment.pictures for moment in moments]
    return _(
        "Between {least} and {most} pictures a second; now {now}.",
        least=f"{min(values):.1f}",
        most=f"{max(values):.1f}",
        now=f"{values[-1]:.1f}",
    )


def latency(moments: Sequence[Moment]) -> str:
    """The plot of answer times, for who cannot see it."""
    known = [moment for moment in moments if moment.p95_s is not None]
    if not known:
        return _("Nobody asked in the last quarter of an hour.")
    return _(
        "Half of the last answers took at most {half} seconds, 95 of 100 at most {most} seconds.",
        half=f"{known[-1].p50_s:.2f}",
        most=f"{known[-1].p95_s:.2f}",
    )


def decisions(moments: Sequence[Moment]) -> str:
    """The plot of decisions, for who cannot see it."""
    known = sum(moment.decisions.get("match", 0.0) for moment in moments)
    every = sum(sum(moment.decisions.values()) for moment in moments)
    if not every:
        return _("Nobody stood before a camera in the last quarter of an hour.")
    return _("{share} of 100 faces were recognised.", share=f"{100 * known / every:.0f}")


def _nobody(one: Complaint) -> str:
    return _(
        "Nobody can be recognised: no part that looks at faces works. They restart by themselves within a "
        "minute. If they do not, start another machine with `rollcall cluster start worker`."
    )


def _records(one: Complaint) -> str:
    return _(
        "The part that searches and records does not answer. Kiosks wait for it; it restarts by itself. "
        "Nothing that was confirmed is lost."
    )


def _journal(one: Complaint) -> str:
    return n_(
        "{number} punch waits on the head machine's disk, because the database does not answer. It is kept "
        "there and delivered when the database is back: look after the database.",
        "{number} punches wait on the head machine's disk, because the database does not answer. They are "
        "kept there and delivered when the database is back: look after the database.",
        int(one.number),
    )


def _too_few(one: Complaint) -> str:
    return n_(
        "{number} part that looks at faces is missing, so answers take longer. It is being started.",
        "{number} parts that look at faces are missing, so answers take longer. They are being started.",
        int(one.number),
    )


def _refused(one: Complaint) -> str:
    return _(
        "{rate} requests a second were told to come again, because too many waited. Add a machine with "
        "`rollcall cluster start worker`, or send less at once.",
        rate=f"{one.number:.1f}",
    )


def _slow(one: Complaint) -> str:
    return _(
        "Answers are slow: of 100, 5 take longer than {seconds} seconds; people notice from {limit} on. "
        "Add a machine, or give this one less other work.",
        seconds=f"{one.number:.1f}",
        limit=f"{SLOW_S:.0f}",
    )


_WORDS: dict[Trouble, Callable[[Complaint], str]] = {
    Trouble.NOBODY_RECOGNISED: _nobody,
    Trouble.RECORDS_AWAY: _records,
    Trouble.JOURNAL: _journal,
    Trouble.PART_AWAY: lambda one: _("{name} died and is being restarted.", name=one.name),
    Trouble.MACHINE_GONE: lambda one: _(
        "The machine {name} is gone. If nobody stopped it, look after it: its work goes to the others.",
        name=one.name,
    ),
    Trouble.TOO_FEW: _too_few,
    Trouble.REFUSED: _refused,
    Trouble.SLOW: _slow,
    Trouble.DRAINING: lambda one: _(
        "The machine {name} is being emptied and gets nothing new.", name=one.name
    ),
}
