"""Comparing what the cache answers with what a computation answers: is its promise kept here.

Keys are hashes, so an entry does not say whose it is. A process that asks afterwards knows only
what it can name: what prefills yield, functions that need no arguments, and, from there on, each
call that a tag of these tells. Whole pages are none of them, for a page is asked by a request.
"""

from __future__ import annotations

import dataclasses
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.utils import translation

from apps.caching import memo
from apps.caching.calls import Call
from apps.caching.engine import engine, replace
from apps.caching.functions import CachedFunction, functions
from apps.caching.lookup import Look, look_up
from apps.caching.patterns import Retraceable, Untold, retrace
from apps.caching.prefill import prefills
from apps.caching.retracing import calls
from apps.caching.servers import Servers
from apps.caching.stores.memory import MemoryStore

# For so long after a commit others may be answered with the old: a writer that was killed between
# its commit and the new versions has a sweep do the rest.
PATIENCE = 5.0
_dice = random.SystemRandom()


class Verdict(StrEnum):
    """What came of comparing one entry."""

    SAME = "same"
    DIFFERENT = "different"
    CHANGED = "changed"  # while it was computed: nothing was learnt
    FAILED = "failed"  # a reader is answered, and a computation raises


@dataclass(frozen=True)
class Known:
    """A call that entries may exist of, and the language it is made in."""

    call: Call[Any]
    language: str | None


@dataclass
class Audit:
    """What was seen: how many calls are known, how many of these lie in the cache, verdicts."""

    known: int = 0
    kept: int = 0
    verdicts: dict[str, Counter[Verdict]] = field(default_factory=dict)
    findings: list[tuple[Known, Verdict]] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)

    def note(self, known: Known, verdict: Verdict) -> None:
        self.verdicts.setdefault(known.call.name, Counter())[verdict] += 1
        if verdict in {Verdict.DIFFERENT, Verdict.FAILED}:
            self.findings.append((known, verdict))


def audit(
    *, sample: int, function: str = "", tags: Iterable[str] = (), patience: float = PATIENCE
) -> Audit:
    """Compare at most `sample` entries, drawn from those of known calls, with computations.

    Only of `function`, if it is given; `tags` tell further calls. What differs is looked at again
    `patience` seconds later, and counts if the same entry is still believed and still differs.
    """
    known = list(_known(tags))
    result = Audit(unreached=sorted(functions.keys() - {one.call.name for one in known}))
    wanted = [one for one in known if function in {"", one.call.name}]
    kept = [one for one, look in zip(wanted, _look_up(wanted), strict=True) if look.is_hit]
    result.known, result.kept = len(wanted), len(kept)
    doubted = []
    for one in _dice.sample(kept, min(sample, len(kept))):
        verdict = _compare(one)
        if verdict in {Verdict.DIFFERENT, Verdict.FAILED}:
            doubted.append(one)
        else:
            result.note(one, verdict)
    if doubted:
        time.sleep(patience)
    for one in doubted:
        result.note(one, _compare(one))
    return result


def _known(tags: Iterable[str]) -> Iterator[Known]:
    here = translation.get_language()
    languages = [code for code, _ in settings.LANGUAGES] if settings.USE_I18N else [here]
    seen: set[tuple[str, str]] = set()
    for language in languages:
        with translation.override(language):
            for call in _calls(set(tags)):
                if (call.name, call.digest) not in seen:
                    seen.add((call.name, call.digest))
                    yield Known(call, language)


def _calls(tags: set[str]) -> list[Call[Any]]:
    """Return what can be named in the active language, and all that its tags tell."""
    how = _retraceable()
    found = {(call.name, call.digest): call for call in _named()}
    asked: set[str] = set()
    while new := (tags | {tag for call in found.values() for tag in call.tags}) - asked:
        asked |= new
        for name, one in how.items():
            told = calls(functions[name], one, sorted(new))
            found.update({(name, call.digest): call for call in told})
    return list(found.values())


def _named() -> Iterator[Call[Any]]:
    for prefill in prefills.values():
        yield from prefill()
    for function in functions.values():
        if _needs_nothing(function):
            yield function.call()


def _needs_nothing(function: CachedFunction[Any, Any]) -> bool:
    try:
        function.signature.bind()
    except TypeError:
        return False
    return True


def _retraceable() -> dict[str, Retraceable]:
    found = {}
    for name, function in functions.items():
        try:
            found[name] = retrace(function.signature, function.templates)
        except Untold:
            continue  # no tag of it tells a whole call
    return found


def _look_up(known: Sequence[Known]) -> list[Look]:
    """Return what readers would be given, past what this process remembers."""
    with memo.suspended():
        return look_up([one.call for one in known])


def _compare(known: Known) -> Verdict:
    """Compute between two looks: what both answer, under the same versions, must be the same."""
    (before,) = _look_up([known])
    try:
        with translation.override(known.language), _past_the_cache():
            value, has_failed = known.call.compute(), False
    except Exception:  # noqa: BLE001 - of the function that is decorated
        value, has_failed = None, True
    (after,) = _look_up([known])
    if not (before.is_hit and after.is_hit) or before.versions != after.versions:
        return Verdict.CHANGED
    if has_failed:
        return Verdict.FAILED
    # Either of the two: under the same versions a value may have been put in place of the other.
    return Verdict.SAME if value in (before.value, after.value) else Verdict.DIFFERENT


@contextmanager
def _past_the_cache() -> Iterator[None]:
    """Have also what is used inside computed, from the database alone, and stored nowhere."""
    before = engine()
    replace(dataclasses.replace(before, servers=Servers([MemoryStore()])))
    try:
        yield
    finally:
        replace(before)
