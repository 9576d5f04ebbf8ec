"""What all benches share: a table for the reader and JSON, with the machine's facts, for the record."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

CPU_INFO = Path("/proc/cpuinfo")


def write_report(
    name: str, rows: Sequence[Mapping[str, Any]], json_path: str | Path | None = None, **facts: Any
) -> None:
    """Prints the rows as a table and, with a path, writes name, machine, facts and rows as JSON.

    The columns are the keys of the rows in the order of first appearance; a row may lack some.
    """
    print_table(name, rows)
    if json_path is None:
        return
    path = Path(json_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {"bench": name, "machine": machine_facts(), "facts": facts, "rows": [dict(row) for row in rows]}
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def print_table(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Prints the rows; numbers stand right-aligned with about three significant digits."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(title=title)
    for column in columns:
        numeric = all(isinstance(row.get(column, 0), int | float) for row in rows)
        table.add_column(column, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    Console(width=None if os.isatty(1) else 140).print(table)


def machine_facts() -> dict[str, Any]:
    """What the figures depend on: usable cores, processor, Python, system, and when."""
    return {
        "cores": usable_cores(),
        "cpu": _cpu_name(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu_name() -> str:
    if CPU_INFO.exists():
        for line in CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value)
