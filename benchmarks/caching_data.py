"""What all cache benchmarks keep: twelve typed rows of about 2 KB, and fifty fragments of 4 KB."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from django.utils.safestring import SafeString, mark_safe

FRAGMENTS = 50
_WORDS = str.split(
    "harbour ridge lantern fog copper tide orchard gravel window rain tram pewter dahlia lotus "
    "valley mist breakfast north face moon blush street roof fern week hay night road green hour"
)


@dataclass
class Row:
    """What a list of photos shows of one: numbers, texts, a moment."""

    id: int
    owner: str
    title: str
    description: str
    likes: int
    width: int
    height: int
    created_at: datetime


def make_rows() -> list[Row]:
    """Return the same twelve rows in every process."""
    dice = Random(12)  # noqa: S311 - the same each time
    began = datetime(2026, 1, 1, 12, tzinfo=UTC)
    return [
        Row(
            id=1000 + number,
            owner=dice.choice(_WORDS),
            title=" ".join(dice.choices(_WORDS, k=4)).capitalize(),
            description=" ".join(dice.choices(_WORDS, k=10)),
            likes=dice.randrange(500),
            width=6000,
            height=4000,
            created_at=began + timedelta(minutes=dice.randrange(100_000)),
        )
        for number in range(12)
    ]


def make_fragment(number: int) -> SafeString:
    """Return a card of 4 KB, as a template renders it: markup that repeats, words that do not."""
    dice = Random(number)  # noqa: S311 - the same each time
    lines = [f'<article class="card" id="photo-{number}">']
    while sum(map(len, lines)) < 4000:
        word, text = dice.choice(_WORDS), " ".join(dice.choices(_WORDS, k=9))
        lines.append(
            f'  <p class="card__line"><a href="/{word}/{dice.randrange(9999)}/">{text}</a></p>'
        )
    return mark_safe("\n".join(lines)[:4086] + "</article>")  # noqa: S308 - our own words
