"""Templates that different packs made of one picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ray_backend.domain.model import Template


def twins_of(template: Template, others: Iterable[Template]) -> list[Template]:
    """Those that another pack made of the picture of this one."""
    return [
        other
        for other in others
        if template.thumbnail and other.thumbnail == template.thumbnail and other.pack_id != template.pack_id
    ]


def each_picture_once(templates: Sequence[Template], pack_id: str) -> tuple[Template, ...]:
    """Without what other packs made of pictures of which this pack has a template, too."""
    own = {template.thumbnail for template in templates if template.pack_id == pack_id}
    return tuple(one for one in templates if one.pack_id == pack_id or one.thumbnail not in own - {b""})
