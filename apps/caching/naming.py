"""From what somebody types to a call: a name and arguments as words, or the address of a page."""

from __future__ import annotations

import ast
import inspect
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any, get_type_hints
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

import msgspec
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.http import Http404
from django.urls import resolve

from apps.caching.calls import Call
from apps.caching.engine import engine
from apps.caching.functions import CachedFunction, functions
from apps.caching.pages import CachedView, views


class UnknownName(LookupError):
    """No function, or more than one, has this name."""


class WrongArguments(ValueError):
    """These words are no arguments of the function."""


def find_function(name: str) -> CachedFunction[Any, Any]:
    """Return the function or widget of this name. Raises UnknownName."""
    full = full_name(name)
    if full in views:
        raise UnknownName(f'"{full}" is a view: name the address of its page')
    return functions[full]


def full_name(name: str) -> str:
    """Return the name of a function, a widget or a view. Raises UnknownName.

    The last parts of a name will do, and so will its first ones, if nothing else has them.
    """
    everything = {*functions, *views}
    if name in everything:
        return name
    likely = sorted(known for known in everything if known.endswith(f".{name}"))
    likely = likely or sorted(known for known in everything if known.startswith(name))
    if len(likely) == 1:
        return likely[0]
    if likely:
        raise UnknownName(f'"{name}" may be {", ".join(likely)}')
    raise UnknownName(f'no cached function, widget or view is called "{name}"')


def is_address(name: str) -> bool:
    """Say whether this is meant to be a page rather than a function."""
    return name.startswith(("/", "http://", "https://"))


def find_page(address: str) -> tuple[CachedView[Any], Call[Any]]:
    """Return the view of an address, and the page that it has for anonymous visitors.

    A path alone is of the first of `ORIGINS`. Raises UnknownName, and WrongArguments for an
    address that is answered past the cache.
    """
    parts = urlsplit(address if "://" in address else f"{_origin()}{address}")
    if settings.DEBUG:
        raise WrongArguments("with DEBUG each process keeps pages of its own: ask it")
    request = _anonymous(parts)
    try:
        request.get_host()
        match = resolve(request.path_info)
    except DisallowedHost as error:
        raise WrongArguments(str(error)) from None
    except Http404:
        raise UnknownName(f"no page has the address {parts.path}") from None
    view = _cached_view(match.func)
    if view is None:
        raise UnknownName(f"the page {parts.path} is not cached")
    request.resolver_match = match
    call = view.call(request, *match.args, **match.kwargs)
    if call is None:
        raise WrongArguments(f"?{parts.query} is answered past the cache")
    return view, call


def _anonymous(parts: SplitResult) -> WSGIRequest:
    """Return the request of a visitor of whom nothing is known."""
    return WSGIRequest(
        {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),  # as WSGI has it
            "QUERY_STRING": parts.query,
            "SERVER_NAME": parts.hostname or "",
            "SERVER_PORT": str(parts.port or (443 if parts.scheme == "https" else 80)),
            "HTTP_HOST": parts.netloc,
            "wsgi.url_scheme": parts.scheme,
            "wsgi.input": io.BytesIO(),
        }
    )


def _origin() -> str:
    origins = engine().options.origins
    if not origins:
        raise WrongArguments("name the whole address, http://host:port/path: pages differ by host")
    return origins[0]


def _cached_view(function: Any) -> CachedView[Any] | None:
    """Return the cached view below other decorators."""
    while function is not None and not isinstance(function, CachedView):
        function = getattr(function, "__wrapped__", None)
    return function


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
