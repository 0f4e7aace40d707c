"""Rewriting in place what a change has made out of date: the worker's side.

Hot is what is there: an entry that nobody computed within its timeout is gone, and is not brought
back. A rewritten entry ends when the one before it would have ended, so what is no longer read
dies out, however often it changes. That needs no list of what was read, and no write at a hit.

The versions are read before the database, as everywhere: a rewrite that a newer change overtook
is stamped with versions that are no longer present, and is a miss.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, get_type_hints

import msgspec
from django.conf import settings
from django.utils import translation

from apps.caching.calls import Call
from apps.caching.engine import engine
from apps.caching.envelope import Unreadable, unpack
from apps.caching.functions import CachedFunction, functions
from apps.caching.lookup import place
from apps.caching.patterns import rewritable
from apps.caching.renewal import Due, compute_anew, take_leases
from apps.caching.rewriting import first, take_down


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
        for language in _languages(functions[name]):
            _rewrite(functions[name], now, language)
    return [tag for tag in tags if tag not in now]


def _rewrite(function: CachedFunction[Any, Any], tags: Sequence[str], language: str | None) -> None:
    until = time.monotonic() + engine().options.lease_seconds
    with translation.override(language):
        due = [one for one in map(_due, calls(function, tags)) if one is not None]
    if won := take_leases(due):
        compute_anew(won, until=until, language=language)


def calls(function: CachedFunction[Any, Any], tags: Iterable[str]) -> list[Call[Any]]:
    """Return the calls of `function` that these tags tell, each once."""
    found: dict[str, Call[Any]] = {}
    for tag in tags:
        for texts in rewritable[function.name].arguments(tag):
            call = _call(function, texts)
            # "a:{x}:{y}" can be read in several ways: only the one that gives the tag again.
            if call is not None and tag in call.tags:
                found[call.digest] = call
    return list(found.values())


def _call(function: CachedFunction[Any, Any], texts: dict[str, str]) -> Call[Any] | None:
    kinds = get_type_hints(function)
    try:
        arguments = {
            name: msgspec.convert(text, kinds.get(name, Any), strict=False)
            for name, text in texts.items()
        }
    except msgspec.ValidationError:
        return None  # a tag that only looks like ours
    return function.call(**arguments)


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


def _languages(function: CachedFunction[Any, Any]) -> list[str | None]:
    if not (function.policy.by_language and settings.USE_I18N):
        return [translation.get_language()]
    return [code for code, _ in settings.LANGUAGES]
