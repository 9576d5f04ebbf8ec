"""How near the photos of one person are to each other, so that one of somebody else stands out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ray_backend.domain.model import Template


class Fit(StrEnum):
    """How a photo goes with the others of its person."""

    ONLY_ONE = "only_one"
    NOT_COMPARABLE = "not_comparable"
    FITS = "fits"
    DIFFERS = "differs"
    SOMEBODY_ELSE = "somebody_else"


@dataclass(frozen=True, slots=True)
class Nearness:
    """One photo among the others. Similarities are cosine, None where there is nothing to compare with.

    `nearest` is the largest similarity to another one, `average` that to all who are the same person.
    """

    template_id: str
    fit: Fit
    nearest: float | None = None
    average: float | None = None


def compare(
    templates: Sequence[Template], *, pack_id: str, threshold: float, margin: float
) -> tuple[Nearness, ...]:
    """Each photo against the others, in order. Those of another pack than the running one are not compared.

    `SOMEBODY_ELSE` is one that no other photo would be taken for. Those are left out of the averages of the
    rest. `DIFFERS` is one whose nearest comes within the margin of that, or that most others do not match.
    Where two photos are all there is and they do not match, both count as somebody else: which of them is
    wrong cannot be told.
    """
    own = [template for template in templates if template.pack_id == pack_id]
    similarities = _similarities(own)
    nearest = similarities.max(axis=1, initial=-1.0)
    typical = nearest >= threshold
    rows = {
        template.template_id: _nearness(
            template.template_id, similarities[row], typical if typical.any() else ~typical, threshold, margin
        )
        for row, template in enumerate(own)
    }
    strange = (Nearness(one.template_id, Fit.NOT_COMPARABLE) for one in templates)
    return tuple(rows.get(one.template_id, one) for one in strange)


def _similarities(templates: Sequence[Template]) -> np.ndarray:
    """(N, N): what each is to each other one; to itself it is -inf, so that it is nobody's nearest."""
    if not templates:
        return np.empty((0, 0), np.float32)
    vectors = np.stack([template.embedding for template in templates])
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -np.inf)
    return similarities


def _nearness(
    template_id: str, row: np.ndarray, typical: np.ndarray, threshold: float, margin: float
) -> Nearness:
    others = np.isfinite(row)
    if not others.any():
        return Nearness(template_id, Fit.ONLY_ONE)
    counted = row[others & typical]
    nearest, average = float(row.max()), float((counted if len(counted) else row[others]).mean())
    if nearest < threshold:
        fit = Fit.SOMEBODY_ELSE
    elif nearest < threshold + margin or average < threshold:
        fit = Fit.DIFFERS
    else:
        fit = Fit.FITS
    return Nearness(template_id, fit, nearest, average)
