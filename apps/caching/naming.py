"""From what somebody types to a call: the name of a function, and arguments as words."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Sequence
from typing import Any, get_type_hints

import msgspec

from apps.caching.calls import Call
from apps.caching.functions import CachedFunction, functions


class UnknownName(LookupError):
    """No function, or more than one, has this name."""


class WrongArguments(ValueError):
    """These words are no arguments of the function."""


def find_function(name: str) -> CachedFunction[Any, Any]:
    """Return the function or widget of this name. Raises UnknownName.

    The last parts of a name will do, and so will its first ones, if only one function has them.
    """
    if name in functions:
        return functions[name]
    likely = sorted(known for known in functions if known.endswith(f".{name}"))
    likely = likely or sorted(known for known in functions if known.startswith(name))
    if len(likely) == 1:
        return functions[likely[0]]
    if likely:
        raise UnknownName(f'"{name}" may be {", ".join(likely)}')
    raise UnknownName(f'no cached function or widget is called "{name}"')


def read_call(function: CachedFunction[Any, Any], words: Sequence[str]) -> Call[Any]:
    """Return the call that these words mean: literals of Python or JSON, or `name=literal`.

    What the function says about its parameters decides: 2026-01-31 may be a date, 17 a text.
    Raises WrongArguments.
    """
    hints, by_position = _hints(function), _by_position(function)
    arguments: list[Any] = []
    named: dict[str, Any] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if sign and _may_be_named(function, name):
            named[name] = read_value(text, hints.get(name, Any))
        else:
            arguments.append(read_value(word, hints.get(next(by_position), Any)))
    try:
        return function.call(*arguments, **named)
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        # A function that makes tags may stumble over what it was not made for.
        raise WrongArguments(f"{function.name}{function.signature}: {error}") from error


def read_value(word: str, kind: Any) -> Any:
    """Return the value of type `kind` that `word` means. Raises WrongArguments."""
    for read in (ast.literal_eval, json.loads):
        try:
            value = read(word)
            return msgspec.convert(value, kind)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
    try:
        return msgspec.convert(word, kind, strict=False)
    except (msgspec.ValidationError, TypeError) as error:
        raise WrongArguments(f'"{word}" will not do: {error}') from error


def _hints(function: CachedFunction[Any, Any]) -> dict[str, Any]:
    try:
        return get_type_hints(inspect.unwrap(function))
    except (NameError, AttributeError, TypeError):
        return {}  # the system check says so


def _by_position(function: CachedFunction[Any, Any]) -> Iterator[str]:
    for parameter in function.signature.parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            while True:
                yield parameter.name
        if parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}:
            yield parameter.name
    while True:
        yield ""  # one too many: the call will say so


def _may_be_named(function: CachedFunction[Any, Any], name: str) -> bool:
    parameters = function.signature.parameters
    if name in parameters:
        return parameters[name].kind is not inspect.Parameter.POSITIONAL_ONLY
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    return takes_any and name.isidentifier()
