"""From a measurement of the site's accuracy to sentences, rows and bars. Knows nothing of Streamlit."""

from __future__ import annotations

from math import ceil, floor, log10

import numpy as np
import pandas as pd

from ray_backend.domain.accuracy import THRESHOLDS, Counts, nearest
from ray_backend.services.calibration import SiteAccuracy
from ray_backend.services.comparisons import MOST_PROBES
from ray_backend.services.confidence import Choice, Estimate, lowest_supported
from streamlit_app.i18n import N_, _, n_

SAME, DIFFERENT = N_("Two photos of one person"), N_("Photos of two people")
WRONG, REFUSED = N_("Strangers taken for somebody"), N_("Registered people refused")
ACCEPTABLE = (5, 10, 20, 50, 100, 200, 500, 1000)  # one wrong match in so many attempts
_BARS = 40


def one_in(rate: float) -> str:
    """`1 in 56`, with two digits that count, never rarer than the rate."""
    if rate <= 0:
        return _("none")
    if rate > 0.5:
        return _("more than every second")
    return _("1 in {number:,}", number=_number(rate))


def acceptable(result: SiteAccuracy) -> int:
    """The rarest wrong match, up to 1 in 100 attempts, that the people here can vouch for."""
    vouched = [number for number in ACCEPTABLE if lowest_supported(result.trials) <= 1 / number]
    return max([number for number in vouched if number <= 100], default=ACCEPTABLE[0])


def headline(result: SiteAccuracy) -> str:
    """What the threshold in force means for people who are not registered."""
    wrong = result.wrong(result.threshold)
    people = result.people
    if wrong.errors:
        return _(
            "About 1 wrong match in {number:,} attempts by people who are not registered, with your "
            "{people:,} people",
            number=_number(wrong.rate),
            people=people,
        )
    if wrong.high <= 0.5:
        return _(
            "Less than 1 wrong match in {number:,} attempts by people who are not registered, with your "
            "{people:,} people",
            number=_number(wrong.high),
            people=people,
        )
    return _(
        "Too few people to tell wrong matches by people who are not registered, with your {people:,} people",
        people=people,
    )


def wrong_sentence(result: SiteAccuracy) -> str:
    """What the headline rests on, and how sure it is."""
    wrong = result.wrong(result.threshold)
    people, others = result.attempts.people, result.others
    if wrong.errors == 0:
        return _(
            "With the present setting nobody was taken for somebody else when {people:,} people tried as "
            "strangers to the {others:,} others. More people would tell more.",
            people=people,
            others=others,
        )
    return _(
        "That is what came out when {people:,} people tried as strangers to the {others:,} others. With so "
        "many people it may really be anything between {low} and {high} attempts.",
        people=people,
        others=others,
        low=one_in(wrong.low),
        high=one_in(wrong.high),
    )


def refused_sentence(result: SiteAccuracy) -> str:
    """What the threshold in force means for registered people."""
    if not result.repeated:
        return _(
            "How often your own people are refused cannot be told yet: nobody has two photos. Add a second "
            "photo of some people under People, then measure again."
        )
    return refused_words(result.refused(result.threshold))


def refused_words(refused: Estimate) -> str:
    """How many genuine attempts would be refused."""
    return n_(
        "Of 100 attempts by registered people, {share} would be refused (between {low} and {high}; measured "
        "on {number:,.0f} person with two photos or more).",
        "Of 100 attempts by registered people, {share} would be refused (between {low} and {high}; measured "
        "on {number:,.0f} people with two photos or more).",
        refused.trials,
        share=_of_100(refused.rate),
        low=_of_100(refused.low),
        high=_of_100(refused.high),
    )


def choice_sentence(result: SiteAccuracy, number: int, choice: Choice | None) -> str:
    """What one wrong match in `number` attempts would need."""
    if choice is not None:
        safe = _(
            "For less than 1 wrong match in {number:,} attempts, set {setting}.",
            number=number,
            setting=setting_words(choice.safe),
        )
        return f"{safe} {refused_words(result.refused(choice.safe))}" if result.repeated else safe
    if lowest_supported(result.trials) <= 1 / number:
        return _("No setting reaches this: some of your people look alike at every one. See the list below.")
    needed = people_needed(number)
    if needed is None:
        return _("1 in {number:,} attempts is rarer than what this page can measure.", number=number)
    return _(
        "{people:,} people are too few to promise 1 wrong match in {number:,} attempts: that takes "
        "about {enough:,}.",
        people=result.people,
        number=number,
        enough=ceil(needed / 10) * 10,
    )


def people_needed(number: int) -> int | None:
    """How many people can vouch for one wrong match in `number` attempts; None when no number can."""
    trials = ceil(-number * np.log(0.025))
    return 2 * trials if 2 * trials <= MOST_PROBES else None


def setting_words(threshold: float) -> str:
    """A threshold as it is set: no more digits than it has."""
    return f"{threshold:.4f}".rstrip("0").rstrip(".")


def bars(result: SiteAccuracy) -> pd.DataFrame:
    """One row for each bar: `kind`, `start` and `end` in similarity, `share` of that kind in percent."""
    kinds = {SAME: result.genuine, DIFFERENT: result.attempts.comparisons}
    edges = np.linspace(*_range(list(kinds.values()), result.threshold), _BARS + 1)
    rows = []
    for kind, counts in kinds.items():
        if not counts.total:
            continue
        shares, _edges = np.histogram(THRESHOLDS, edges, weights=counts.weights)
        rows.append(
            pd.DataFrame(
                {
                    "kind": _(kind),
                    "start": edges[:-1],
                    "end": edges[1:],
                    "share": 100 * shares / counts.total,
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def lines(result: SiteAccuracy) -> pd.DataFrame:
    """For each threshold and kind of error: `threshold`, `kind`, `percent` of attempts that go wrong."""
    low, high = _range([result.genuine, result.attempts.nearest], result.threshold)
    first, last = nearest(low), nearest(high)
    shown = slice(first, last + 1, max(1, (last - first) // 300))
    rows = [_line(WRONG, shown, result.attempts.nearest.at_or_above())]
    if result.repeated:
        rows.append(_line(REFUSED, shown, 1 - result.genuine.at_or_above()))
    return pd.concat(rows, ignore_index=True)


def look_alike_rows(result: SiteAccuracy) -> pd.DataFrame:
    """Pairs of people, closest first."""
    return pd.DataFrame(
        {
            _("Person"): [f"{pair.first.name} ({pair.first.employee_id})" for pair in result.look_alikes],
            _("Looks like"): [
                f"{pair.second.name} ({pair.second.employee_id})" for pair in result.look_alikes
            ],
            _("Similarity"): [f"{pair.similarity:.3f}" for pair in result.look_alikes],
        }
    )


def too_few_rows(result: SiteAccuracy) -> pd.DataFrame:
    """Who has a single photo."""
    return pd.DataFrame(
        {
            _("Name"): [person.name for person in result.too_few],
            _("Employee id"): [person.employee_id for person in result.too_few],
            _("Department"): [person.department for person in result.too_few],
        }
    )


def poor_rows(result: SiteAccuracy) -> pd.DataFrame:
    """Photos to be replaced, worst first."""
    return pd.DataFrame(
        {
            _("Name"): [photo.person.name for photo in result.poor],
            _("Employee id"): [photo.person.employee_id for photo in result.poor],
            _("Quality"): [f"{photo.quality:.0%}" for photo in result.poor],
        }
    )


def _line(kind: str, shown: slice, shares: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"threshold": THRESHOLDS[shown], "kind": _(kind), "percent": 100 * shares[shown]})


def _range(counts: list[Counts], threshold: float) -> tuple[float, float]:
    """The similarities worth showing: all but one in a thousand at either end, and the threshold."""
    found = [threshold - 0.02, threshold + 0.02]
    for each in counts:
        if each.total:
            found += [each.quantile(0.999), each.quantile(0.0)]
    return max(-1.0, min(found)), min(1.0, max(found))


def _number(rate: float) -> int:
    """One error in so many, rounded down to two digits that count."""
    number = 1 / rate + 1e-9  # 1 / 0.01 is a little less than 100
    digits = 10 ** max(0, floor(log10(number)) - 1)
    return floor(number / digits) * digits


def _of_100(rate: float) -> str:
    return f"{100 * rate:.1f}".removesuffix(".0") if rate < 0.1 else f"{100 * rate:.0f}"
