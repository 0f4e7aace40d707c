"""Tables and figures for people who look at a terminal."""

from __future__ import annotations

from collections.abc import Sequence

Cell = str | int | float | None
ABSENT = "-"
GAP = "  "
KILO = 1024
SHORT = 10  # milliseconds; below, hundredths of them are told
MINUTE, HOUR, DAY = 60, 3600, 24 * 3600


class Figure(str):
    """A number with its unit: it stands to the right, like a number."""

    __slots__ = ()


def table(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[str]:
    """Return the lines of a table: numbers to the right, text to the left, None as a dash."""
    texts = [[_text(cell) for cell in row] for row in rows]
    columns = range(len(head))
    widths = [max(len(head[i]), *(len(row[i]) for row in texts), 0) for i in columns]
    to_the_right = [any(isinstance(row[i], Figure | int | float) for row in rows) for i in columns]
    return [
        GAP.join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, to_the_right, strict=True)
        ).rstrip()
        for row in [list(head), *texts]
    ]


def _text(cell: Cell) -> str:
    if cell is None:
        return ABSENT
    if isinstance(cell, str):
        return cell
    return number(cell) if isinstance(cell, int) else f"{cell:.2f}"


def number(count: float) -> Figure:
    """Return a count with its thousands apart: 12 400."""
    return Figure(f"{count:,.0f}".replace(",", " "))


def share(part: float, whole: float) -> Figure | None:
    """Return a part in percent, None of nothing."""
    return Figure(f"{100 * part / whole:.1f} %") if whole else None


def size(count: float) -> Figure:
    """Return a number of bytes: 812 B, 1.2 MB."""
    for unit in ("B", "KB", "MB"):
        if abs(count) < KILO:
            return Figure(f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}")
        count /= KILO
    return Figure(f"{count:.1f} GB")


def span(seconds: float) -> Figure:
    """Return a time to two figures or so: 0.31 ms, 4.2 s, 3 min 20 s, 2 d 4 h."""
    if seconds < 1:
        thousandths = 1000 * seconds
        return Figure(
            f"{thousandths:.{0 if thousandths >= SHORT else 2}f} ms" if seconds else "0 s"
        )
    if seconds < MINUTE:
        return Figure(f"{seconds:.1f} s")
    if seconds < HOUR:
        return _two(seconds, MINUTE, "min", 1, "s")
    if seconds < DAY:
        return _two(seconds, HOUR, "h", MINUTE, "min")
    return _two(seconds, DAY, "d", HOUR, "h")


def _two(seconds: float, large: int, its_name: str, small: int, that_of_small: str) -> Figure:
    rest = f"{seconds % large // small:.0f}"
    return Figure(f"{seconds // large:.0f} {its_name}" + f" {rest} {that_of_small}" * (rest != "0"))
