"""A function whose values are kept: what `@cached` makes of it."""

from __future__ import annotations

import functools
import inspect
import string
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, ParamSpec, TypeVar, get_type_hints

from django.conf import settings
from django.utils import translation

from apps.caching.answering import forget, obtain, refresh
from apps.caching.batches import obtain_many
from apps.caching.calls import Call, Policy, Refresh
from apps.caching.codecs import Codec, Uncacheable
from apps.caching.fingerprints import code_fingerprint
from apps.caching.keys import canonical, is_plain, short_hash
from apps.caching.patterns import register

P = ParamSpec("P")
R = TypeVar("R")

# Calls that are not put together anew each time: one to two kilobytes each.
KNOWN_CALLS = 4096

functions: dict[str, CachedFunction[Any, Any]] = {}


class CachedFunction(Generic[P, R]):
    """A function whose values are kept. Name, signature, docstring and types are the function's.

    Treat what it returns as frozen: two callers in one request may get the same object.
    """

    def __init__(self, function: Callable[P, R], *, name: str, policy: Policy[R]) -> None:
        functools.update_wrapper(self, function)
        self.name = name
        self.policy = policy
        self.signature = inspect.signature(function)
        self._function = function
        # The names, if a call by position fills them all and needs no binding.
        self._positional = _positional(self.signature)
        self._tags = policy.tags if callable(policy.tags) else _listed(policy.tags)
        # Only templates are known to make the same tags of the same arguments each time.
        self._is_lasting = not callable(self._tags)
        self._check()
        if policy.refresh is Refresh.REWRITE:
            register(name, self.signature, self._tags)
        functions[name] = self

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the value for these arguments, computed now or kept from before."""
        return obtain(self.call(*args, **kwargs))

    def call(self, *args: P.args, **kwargs: P.kwargs) -> Call[R]:
        """Name a call without making it: for `prefetch` and for a prefill."""
        return self._call(self._variant(), args, kwargs)

    def fresh(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute past the cache: nothing is read from it and nothing is stored."""
        return self._function(*args, **kwargs)

    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute now and rewrite the entry in place."""
        return refresh(self.call(*args, **kwargs))

    def forget(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Drop the entry. After a change in the database use `changed` or `invalidate`."""
        forget(self.call(*args, **kwargs))

    def many(self, calls: Iterable[tuple[Any, ...]]) -> list[R]:
        """Return the value for each tuple of arguments, with one round trip for all."""
        variant = self._variant()
        return obtain_many([self._call(variant, tuple(arguments), {}) for arguments in calls])

    @property
    def tag_templates(self) -> tuple[str, ...]:
        """Return the tags as they were declared; none if a function makes them."""
        return () if callable(self._tags) else self._tags

    @property
    def templates(self) -> tuple[str, ...] | None:
        """The tags as they were declared; None if a function makes them."""
        return None if callable(self._tags) else self._tags

    def __repr__(self) -> str:
        return f"<cached {self.name}>"

    @functools.cached_property
    def _codec(self) -> Codec:
        try:
            return Codec(self.value_type())
        except (NameError, AttributeError, TypeError) as error:
            raise Uncacheable(str(error)) from error

    def codec(self) -> Codec:
        """Return what turns the values into bytes. Raises Uncacheable."""
        return self._codec

    def value_type(self) -> Any:
        """Return the annotation by which values are stored."""
        return get_type_hints(self._function).get("return", Any)

    def fingerprint(self) -> str:
        """Return what changes with the code, so that old and new code do not share entries."""
        return code_fingerprint(self._function)

    def named(self, variant: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call[R]:
        """Put a call together; `variant` is what entries differ by beside the arguments."""
        arguments = self._bind(args, kwargs)
        return Call(
            name=self.name,
            policy=self.policy,
            codec=self.codec,
            digest=short_hash(variant.encode() + canonical(arguments)),
            tags=self._tags_for(arguments, args, kwargs),
            compute=functools.partial(self._function, *args, **kwargs),
            arguments=tuple(arguments.values()),
        )

    def _call(self, variant: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call[R]:
        if self._is_lasting and is_plain(args) and is_plain(kwargs.values()):
            return _known_call(self, variant, args, tuple(kwargs.items()))
        return self.named(variant, args, kwargs)

    def _variant(self) -> str:
        """Return what entries differ by beside the arguments."""
        by_language = self.policy.by_language and settings.USE_I18N
        language = (translation.get_language() or "") if by_language else ""
        return f"{self.fingerprint()}/{language}/"

    def _bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by name, the same however they were passed."""
        if self._positional and not kwargs and len(args) == len(self._positional):
            return dict(zip(self._positional, args, strict=True))
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def _tags_for(
        self, arguments: dict[str, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[str, ...]:
        if callable(self._tags):
            return tuple(dict.fromkeys(self._tags(*args, **kwargs)))
        return tuple([tag.format_map(arguments) for tag in self._tags])

    def _check(self) -> None:
        if self.policy.bulk is not None and len(self.signature.parameters) != 1:
            raise TypeError(f"{self.name}: bulk is for functions of one argument")
        if callable(self._tags):
            return
        fields = {field for tag in self._tags for _, field, *_ in string.Formatter().parse(tag)}
        unknown = {field.split(".")[0].split("[")[0] for field in fields if field is not None}
        if unknown := unknown - set(self.signature.parameters):
            raise TypeError(f"{self.name}: no argument is called {', '.join(unknown)}")


@functools.lru_cache(maxsize=KNOWN_CALLS)
def _known_call(
    function: CachedFunction[Any, R],
    variant: str,
    args: tuple[Any, ...],
    kwargs: tuple[tuple[str, Any], ...],
) -> Call[R]:
    return function.named(variant, args, dict(kwargs))


def forget_known_calls() -> None:
    """Put all calls together anew: to measure what that costs."""
    _known_call.cache_clear()


def _positional(signature: inspect.Signature) -> tuple[str, ...]:
    parameters = signature.parameters.values()
    if all(p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for p in parameters):
        return tuple(signature.parameters)
    return ()


def _listed(tags: Iterable[str]) -> tuple[str, ...]:
    # One string is an iterable of letters: a mistake that types do not find.
    return (tags,) if isinstance(tags, str) else tuple(tags)
