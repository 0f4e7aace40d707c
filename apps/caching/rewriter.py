"""Rewriting in place what a change has made out of date: the worker's side.

Hot is what is there: an entry that nobody computed within its timeout is gone, and is not brought
back. A rewritten entry ends when the one before it would have ended, so what is no longer read
dies out, however often it changes. That needs no list of what was read, and no write at a hit.

The versions are read before the database, as everywhere: a rewrite that a newer change overtook
is stamped with versions that are no longer present, and is a miss.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.utils import translation

from apps.caching.calls import Call
from apps.caching.engine import engine
from apps.caching.envelope import Unreadable, unpack
from apps.caching.functions import CachedFunction, functions
from apps.caching.lookup import place
from apps.caching.patterns import rewritable
from apps.caching.renewal import Due, compute_anew, take_leases
from apps.caching.retracing import calls, languages
from apps.caching.rewriting import first, take_down
from apps.caching.surroundings import Surroundings


def rewrite(tags: Sequence[str]) -> list[str]:
    """Rewrite the entries with these tags that are in use and out of date.

    Return the tags that were rewritten less than `REWRITE_SECONDS` ago: their marks stand, and
    the caller sees to it that they have their turn later.
    """
    eng = engine()
    now = [tag for tag in tags if first(eng.keys.rewritten(tag), eng.options.rewrite_seconds)]
    # Before any version is read: a change from now on must ask again.
    take_down(now)
    for name in sorted(rewritable):
        for language in languages(functions[name]):
            _rewrite(functions[name], now, language)
    return [tag for tag in tags if tag not in now]


def _rewrite(function: CachedFunction[Any, Any], tags: Sequence[str], language: str | None) -> None:
    until = time.monotonic() + engine().options.lease_seconds
    with translation.override(language):
        found = calls(function, rewritable[function.name], tags)
        due = [one for one in map(_due, found) if one is not None]
        around = Surroundings()
    if won := take_leases(due):
        compute_anew(won, until=until, around=around)


def _due(call: Call[Any]) -> Due | None:
    """Return what is to be done for `call`; None if nobody uses it, or it is new already."""
    where = place(call, engine())
    raw, *present = where.node.get([where.key, *where.tags]) or [None]
    versions = where.node.versions(where.tags, present) if raw else None
    if raw is None or versions is None:
        return None
    try:
        envelope = unpack(raw)
    except Unreadable:
        return None
    ends = (envelope.created_ms + envelope.fresh_ms) / 1000
    if ends <= time.time() or envelope.versions == versions:
        return None
    return Due(call=call, where=where, versions=versions, reason="rewritten", ends=ends)
