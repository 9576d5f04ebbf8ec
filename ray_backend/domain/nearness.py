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

    `nearest` is the largest similarity to another one, `average` that to all of them.
    """

    template_id: str
    fit: Fit
    nearest: float | None = None
    average: float | None = None


def compare(
    templates: Sequence[Template], *, pack_id: str, threshold: float, margin: float
) -> tuple[Nearness, ...]:
    """Each photo against the others, in order. Those of another pack than the running one are not compared.

    `SOMEBODY_ELSE` is one that no other photo would be taken for; `DIFFERS` one that comes within the
    margin of that, or that only some others are taken for. Where two photos are all there is and they
    do not match, both count as somebody else: which of them is wrong cannot be told.
    """
    own = [template for template in templates if template.pack_id == pack_id]
    vectors = np.stack([template.embedding for template in own]) if own else np.empty((0, 1), np.float32)
    similarities = vectors @ vectors.T
    rows = {template.template_id: np.delete(similarities[row], row) for row, template in enumerate(own)}
    return tuple(
        _nearness(template, rows.get(template.template_id), threshold, margin) for template in templates
    )


def _nearness(template: Template, others: np.ndarray | None, threshold: float, margin: float) -> Nearness:
    if others is None:
        return Nearness(template.template_id, Fit.NOT_COMPARABLE)
    if not len(others):
        return Nearness(template.template_id, Fit.ONLY_ONE)
    nearest, average = float(others.max()), float(others.mean())
    if nearest < threshold:
        fit = Fit.SOMEBODY_ELSE
    elif nearest < threshold + margin or average < threshold:
        fit = Fit.DIFFERS
    else:
        fit = Fit.FITS
    return Nearness(template.template_id, fit, nearest, average)
