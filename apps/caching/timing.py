"""What the cache did for one request, as two headers that a person reads."""

from __future__ import annotations

import re
from collections import Counter

from django.http.response import HttpResponseBase

from apps.caching.events import Counted, Event, Trip

MOST_CHARACTERS = 1000
MOST_TIMINGS = 10
# What is said of an entry, in this order; other counters are of no use here.
WORDS = {
    "hits": "hit",
    "stale": "stale",
    "misses_absent": "absent",
    "misses_outdated": "outdated",
    "misses_unreadable": "unreadable",
    "misses_away": "away",
    "bypassed": "changed here",
    "waits": "waited",
    "computations": "computed",
    "refused": "not kept",
    "oversize": "too large",
    "uncacheable": "cannot be stored",
    "undeclared": "lacks tags",
}


class RequestRecord:
    """Hears the events of one request and sums them up."""

    def __init__(self) -> None:
        self.trips = 0
        self.seconds = 0.0
        self.counts: dict[str, Counter[str]] = {}

    def hear(self, event: Event) -> None:
        if isinstance(event, Trip):
            self.trips += 1
            self.seconds += event.seconds
        elif isinstance(event, Counted):
            counter = self.counts.setdefault(event.function, Counter())
            counter[event.what] += event.amount  # type: ignore[assignment] # seconds too

    def write_to(self, response: HttpResponseBase, header: str) -> None:
        """Set the header of that name, and add to `Server-Timing`."""
        response[header] = self.summary()
        timings = [response["Server-Timing"]] if "Server-Timing" in response else []
        response["Server-Timing"] = ", ".join([*timings, *self.timings()])

    def summary(self) -> str:
        """Return `1 trip 0.31 ms, 2 hits, 0 misses, 0 computed; shop.card hit*2`, bounded."""
        total = sum(self.counts.values(), Counter[str]())
        hits = total["hits"] + total["stale"]
        misses = sum(number for what, number in total.items() if what.startswith("misses_"))
        text = (
            f"{_number(self.trips, 'trip')} {_ms(self.seconds)} ms, {_number(hits, 'hit')}, "
            f"{_number(misses, 'miss', 'misses')}, {total['computations']:.0f} computed"
        )
        entries = [_entry(name, counter) for name, counter in sorted(self.counts.items())]
        for place, entry in enumerate(entries):
            if len(text) + len(entry) > MOST_CHARACTERS:
                return f"{text}; +{len(entries) - place} more"
            text = f"{text}; {entry}"
        return text

    def timings(self) -> list[str]:
        """Return the metrics of `Server-Timing`: the cache, and what took longest to compute."""
        computed = sorted(
            ((counter["seconds_computing"], name) for name, counter in self.counts.items()),
            reverse=True,
        )
        return [
            f'cache;dur={_ms(self.seconds)};desc="{_number(self.trips, "trip")}"',
            *[
                f"{_token(name)};dur={_ms(seconds)}"
                for seconds, name in computed[:MOST_TIMINGS]
                if seconds
            ],
        ]


def _entry(name: str, counter: Counter[str]) -> str:
    said = [
        word if counter[what] == 1 else f"{word}*{counter[what]:.0f}"
        for what, word in WORDS.items()
        if counter[what]
    ]
    # What is no counter of the statistics is a sentence.
    said += [what for what in counter if ":" in what]
    if seconds := counter["seconds_computing"]:
        said.append(f"{_ms(seconds)} ms")
    return _plain(f"{name} {', '.join(said)}".strip())


def _number(number: float, one: str, many: str = "") -> str:
    return f"{number:.0f} {one if number == 1 else many or one + 's'}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f}"


def _plain(text: str) -> str:
    # A header is one line of ASCII, whatever a function is called.
    return re.sub(r"[^ -~]|;", "?", text)


def _token(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)[-60:]
