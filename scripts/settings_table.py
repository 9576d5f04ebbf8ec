"""Prints the settings as the rows of README.md's table: name, default, meaning."""

from __future__ import annotations

from pydantic.fields import FieldInfo

from ray_backend.domain.site import FIELDS
from ray_backend.settings import Settings

HEADER = ("| variable | default | meaning |", "|---|---|---|")


def default_text(field: FieldInfo) -> str:
    """The default as a reader would type it, or in words."""
    if field.default_factory is not None:
        return "the machine's"
    if field.default is None:
        return "none"
    if field.default == "":
        return "empty"
    return f"`{field.default:g}`" if isinstance(field.default, float) else f"`{field.default}`"


def meaning(name: str, field: FieldInfo) -> str:
    """The description, and whether an admin may change it in the app."""
    return f"{field.description} (*in the app, too*)" if name in FIELDS else field.description


def rows() -> list[str]:
    """One row for each setting, in the order of `Settings`."""
    prefix = Settings.model_config["env_prefix"]
    return [
        f"| `{prefix}{name.upper()}` | {default_text(field)} | {meaning(name, field)} |"
        for name, field in Settings.model_fields.items()
    ]


if __name__ == "__main__":
    print("\n".join((*HEADER, *rows())))
