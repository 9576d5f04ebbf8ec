"""From a measurement of the site's accuracy to sentences, rows and bars. Knows nothing of Streamlit."""

from __future__ import annotations

from math import ceil, floor, log10

import numpy as np
import pandas as pd

from ray_backend.domain.accuracy import THRESHOLDS, Counts, nearest
from ray_backend.services.calibration import SiteAccuracy
from ray_backend.services.comparisons import MOST_PROBES
from ray_backend.services.confidence import Choice, Estimate, lowest_supported

SAME, DIFFERENT = "Two photos of one person", "Photos of two people"
WRONG, REFUSED = "Strangers taken for somebody", "Registered people refused"
ACCEPTABLE = (5, 10, 20, 50, 100, 200, 500, 1000)  # one wrong match in so many attempts
_BARS = 40


def one_in(rate: float) -> str:
    """`1 in 56`, with two digits that count, never rarer than the rate."""
    if rate <= 0:
        return "none"
    return "more than every second" if rate > 0.5 else f"1 in {_number(rate)}"


def acceptable(result: SiteAccuracy) -> int:
    """The rarest wrong match, up to 1 in 100 attempts, that the people here can vouch for."""
    vouched = [number for number in ACCEPTABLE if lowest_supported(result.trials) <= 1 / number]
    return max([number for number in vouched if number <= 100], default=ACCEPTABLE[0])


def headline(result: SiteAccuracy) -> str:
    """What the threshold in force means for people who are not registered."""
    wrong = result.wrong(result.threshold)
    if wrong.errors == 0:
        often = "Less than 1 wrong match" if wrong.high <= 0.5 else "Too few people to tell wrong matches"
        often += f" in {_number(wrong.high)} attempts" if wrong.high <= 0.5 else ""
    else:
        often = f"About 1 wrong match in {_number(wrong.rate)} attempts"
    return f"{often} by people who are not registered, with your {result.people:,} people"


def wrong_sentence(result: SiteAccuracy) -> str:
    """What the headline rests on, and how sure it is."""
    wrong = result.wrong(result.threshold)
    tried = f"{result.attempts.people:,} people tried as strangers to the {result.others:,} others"
    if wrong.errors == 0:
        return (
            f"With the present setting nobody was taken for somebody else when {tried}. More people would "
            "tell more."
        )
    return (
        f"That is what came out when {tried}. With so many people it may really be anything between "
        f"{one_in(wrong.low)} and {one_in(wrong.high)} attempts."
    )


def refused_sentence(result: SiteAccuracy) -> str:
    """What the threshold in force means for registered people."""
    if not result.repeated:
        return (
            "How often your own people are refused cannot be told yet: nobody has two photos. Add a second "
            "photo of some people under People, then measure again."
        )
    return f"{refused_words(result.refused(result.threshold))}."


def refused_words(refused: Estimate) -> str:
    """How many genuine attempts would be refused."""
    people = f"{refused.trials:,.0f} {'person' if refused.trials == 1 else 'people'} with two photos or more"
    return (
        f"Of 100 attempts by registered people, {_of_100(refused.rate)} would be refused (between "
        f"{_of_100(refused.low)} and {_of_100(refused.high)}; measured on {people})"
    )


def choice_sentence(result: SiteAccuracy, number: int, choice: Choice | None) -> str:
    """What one wrong match in `number` attempts would need."""
    if choice is not None:
        refused = f" {refused_words(result.refused(choice.safe))}." if result.repeated else ""
        return (
            f"For less than 1 wrong match in {number:,} attempts, set {setting_words(choice.safe)}.{refused}"
        )
    if lowest_supported(result.trials) <= 1 / number:
        return "No setting reaches this: some of your people look alike at every one. See the list below."
    needed = people_needed(number)
    if needed is None:
        return f"1 in {number:,} attempts is rarer than what this page can measure."
    return (
        f"{result.people:,} people are too few to promise 1 wrong match in {number:,} attempts: that takes "
        f"about {ceil(needed / 10) * 10:,}."
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
        shares, _ = np.histogram(THRESHOLDS, edges, weights=counts.weights)
        rows.append(
            pd.DataFrame(
                {
                    "kind": kind,
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
            "Person": [f"{pair.first.name} ({pair.first.employee_id})" for pair in result.look_alikes],
            "Looks like": [f"{pair.second.name} ({pair.second.employee_id})" for pair in result.look_alikes],
            "Similarity": [f"{pair.similarity:.3f}" for pair in result.look_alikes],
        }
    )


def too_few_rows(result: SiteAccuracy) -> pd.DataFrame:
    """Who has a single photo."""
    return pd.DataFrame(
        {
            "Name": [person.name for person in result.too_few],
            "Employee id": [person.employee_id for person in result.too_few],
            "Department": [person.department for person in result.too_few],
        }
    )


def poor_rows(result: SiteAccuracy) -> pd.DataFrame:
    """Photos to be replaced, worst first."""
    return pd.DataFrame(
        {
            "Name": [photo.person.name for photo in result.poor],
            "Employee id": [photo.person.employee_id for photo in result.poor],
            "Quality": [f"{photo.quality:.0%}" for photo in result.poor],
        }
    )


def _line(kind: str, shown: slice, shares: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"threshold": THRESHOLDS[shown], "kind": kind, "percent": 100 * shares[shown]})


def _range(counts: list[Counts], threshold: float) -> tuple[float, float]:
    """The similarities worth showing: all but one in a thousand at either end, and the threshold."""
    found = [threshold - 0.02, threshold + 0.02]
    for each in counts:
        if each.total:
            found += [each.quantile(0.999), each.quantile(0.0)]
    return max(-1.0, min(found)), min(1.0, max(found))


def _number(rate: float) -> str:
    """One error in so many, rounded down to two digits that count."""
    number = 1 / rate + 1e-9  # 1 / 0.01 is a little less than 100
    digits = 10 ** max(0, floor(log10(number)) - 1)
    return f"{floor(number / digits) * digits:,}"


def _of_100(rate: float) -> str:
    return f"{100 * rate:.1f}".removesuffix(".0") if rate < 0.1 else f"{100 * rate:.0f}"
