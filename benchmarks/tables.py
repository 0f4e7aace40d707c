"""What a benchmark says in the end: Markdown tables, and each target with met or missed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, kw_only=True)
class Target:
    """A figure that was wanted beforehand: at most so much."""

    what: str
    wanted: float
    measured: float
    unit: str = ""

    @property
    def verdict(self) -> str:
        """Say "met", or by how much it was missed."""
        if self.measured <= self.wanted:
            return "met"
        over = self.measured - self.wanted
        return f"missed by {over / self.wanted:.0%}" if self.wanted else f"missed by {over:g}"

    def row(self) -> dict[str, object]:
        """Return it as a row of a table."""
        return {
            "target": self.what,
            "at most": f"{self.wanted:g}{self.unit}",
            "measured": f"{self.measured:.3g}{self.unit}",
            "verdict": self.verdict,
        }


@dataclass
class Report:
    """The tables of one benchmark by their titles, and its targets."""

    tables: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def show(self, *, as_json: bool) -> None:
        """Print all of it."""
        if as_json:
            told = [asdict(target) | {"verdict": target.verdict} for target in self.targets]
            print(json.dumps({"tables": self.tables, "targets": told, "notes": self.notes}))
            return
        for title, rows in self.tables.items():
            print(f"\n{title}\n\n{markdown(rows)}")
        for note in self.notes:
            print(f"\n{note}")
        if self.targets:
            print(f"\n{markdown([target.row() for target in self.targets])}")


def markdown(rows: Sequence[Mapping[str, object]]) -> str:
    """Return the rows as a table; the keys of the first are its head."""
    head = list(rows[0]) if rows else []
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(row.get(name, "")) for name in head) + " |" for row in rows]
    return "\n".join(lines)


def options(about: str | None, **others: float | str) -> argparse.Namespace:
    """Read the command line: `--json`, and an option for each other, of its type and default."""
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    for name, value in others.items():
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, type=type(value), default=value, help=f"default {value!r}")
    return parser.parse_args()
