"""From tags back to calls: what `patterns` reads as text, put together as calls of functions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_type_hints

import msgspec
from django.conf import settings
from django.utils import translation

from apps.caching.calls import Call
from apps.caching.functions import CachedFunction
from apps.caching.patterns import Retraceable


def calls(
    function: CachedFunction[Any, Any], how: Retraceable, tags: Iterable[str]
) -> list[Call[Any]]:
    """Return the calls of `function` that these tags tell, each once, in the active language."""
    found: dict[str, Call[Any]] = {}
    for tag in tags:
        for texts in how.arguments(tag):
            call = _call(function, texts)
            # "a:{x}:{y}" can be read in several ways: only the one that gives the tag again.
            if call is not None and tag in call.tags:
                found[call.digest] = call
    return list(found.values())


def languages(function: CachedFunction[Any, Any]) -> list[str | None]:
    """Return the languages in which `function` may have entries."""
    if not (function.policy.by_language and settings.USE_I18N):
        return [translation.get_language()]
    return [code for code, _ in settings.LANGUAGES]


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
