"""From a tag back to the calls that name it: "book:17" is "book:{book_id}" of book 17.

So an invalidation tells by itself which calls it concerns, and nobody keeps a list of keys.
"""

from __future__ import annotations

import inspect
import re
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

ANY = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD


class Untold(Exception):
    """No tag of a function tells a whole call of it."""


class TagPattern:
    """A template of tags, read backwards."""

    def __init__(self, template: str) -> None:
        seen: set[str] = set()
        pieces = [
            re.escape(literal) + _piece(field, seen)
            for literal, field, *_ in string.Formatter().parse(template)
        ]
        self._regex = re.compile("".join(pieces), re.DOTALL)

    def match(self, tag: str) -> dict[str, str] | None:
        """Return the arguments that `tag` tells, as text; None if it is no tag of this kind."""
        found = self._regex.fullmatch(tag)
        return None if found is None else found.groupdict()


@dataclass(frozen=True)
class Retraceable:
    """What the tags of a function tell of its arguments."""

    patterns: tuple[TagPattern, ...]
    required: frozenset[str]

    def arguments(self, tag: str) -> Iterator[dict[str, str]]:
        """Yield the arguments of each call that `tag` tells whole; others have their defaults."""
        for pattern in self.patterns:
            found = pattern.match(tag)
            if found is not None and found.keys() >= self.required:
                yield found


rewritable: dict[str, Retraceable] = {}


def register(name: str, signature: inspect.Signature, templates: object) -> None:
    """Remember a function that is to be rewritten. Raises TypeError if no tag tells its calls."""
    try:
        rewritable[name] = retrace(signature, templates)
    except Untold as error:
        raise TypeError(f"{name}: REWRITE {error}") from None


def retrace(signature: inspect.Signature, templates: object) -> Retraceable:
    """Read the tags of a function backwards. Raises Untold if none tells a whole call."""
    if not isinstance(templates, tuple):
        raise Untold("wants tags that are templates, not a function")
    parameters = signature.parameters.values()
    if any(one.kind is inspect.Parameter.POSITIONAL_ONLY for one in parameters):
        raise Untold("calls by name: no argument may be positional only")
    required = {one.name for one in parameters if one.default is one.empty and one.kind not in ANY}
    if not any(required <= fields for fields in map(_told, templates)):
        raise Untold(f"wants a tag that names all of {sorted(required)}")
    patterns = tuple([TagPattern(template) for template in templates])
    return Retraceable(patterns, frozenset(required))


def concerned(tags: Iterable[str]) -> list[str]:
    """Return those of these tags that tell a call which is to be rewritten, in order."""
    return [
        tag
        for tag in sorted(set(tags))
        if any(True for function in rewritable.values() for _ in function.arguments(tag))
    ]


def _told(template: str) -> set[str]:
    fields = (field for _, field, *_ in string.Formatter().parse(template))
    return {field for field in fields if field is not None and _is_name(field)}


def _piece(field: str | None, seen: set[str]) -> str:
    if field is None:
        return ""
    # "{entry[0]}" tells a part of an argument, from which the whole cannot be made again.
    if not _is_name(field):
        return ".+"
    if field in seen:
        return f"(?P={field})"
    seen.add(field)
    return f"(?P<{field}>.+)"


def _is_name(field: str) -> bool:
    return field.isidentifier()
