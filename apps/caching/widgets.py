"""The decorator for fragments of pages: `@widget`."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ParamSpec

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

from apps.caching.batches import obtain_many
from apps.caching.calls import NEVER_STALE, Call, Policy, Refresh, Tags
from apps.caching.functions import CachedFunction
from apps.caching.keys import short_hash

P = ParamSpec("P")
Context = Mapping[str, object] | None

registry: dict[str, Widget[Any]] = {}


class UnknownWidget(LookupError):
    """No widget has this name."""


class Widget(CachedFunction[P, SafeString]):
    """A fragment: a function that returns the context, and the template of the same name.

    Everybody sees the same one: there is no request in it and no visitor.
    """

    def __init__(
        self, context: Callable[P, Context], *, name: str, policy: Policy[Context]
    ) -> None:
        self.template_name = template_name(name)
        bulk = policy.bulk

        @functools.wraps(context)
        def render(*args: P.args, **kwargs: P.kwargs) -> SafeString:
            return self._render(context(*args, **kwargs))

        def render_many(arguments: Sequence[Any]) -> Mapping[Any, SafeString]:
            contexts = bulk(arguments) if bulk is not None else {}
            return {argument: self._render(found) for argument, found in contexts.items()}

        many: Any = render_many if bulk is not None else None
        rendered: Policy[Any] = dataclasses.replace(policy, by_language=True, bulk=many)
        super().__init__(render, name=name, policy=rendered)

    def value_type(self) -> Any:
        return SafeString

    def fingerprint(self) -> str:
        # While developing a template may change under a running process.
        return self._fingerprint() if settings.DEBUG else self._lasting_fingerprint

    def each(self, items: Iterable[Any], **arguments: Any) -> list[SafeString]:
        """Return the fragment for each item, given as the first argument, in one round trip."""
        variant = self._variant()
        return obtain_many([self._call(variant, (item,), arguments) for item in items])

    def _render(self, context: Context) -> SafeString:
        if context is None:
            return mark_safe("")
        return mark_safe(get_template(self.template_name).render(dict(context)))  # noqa: S308

    @functools.cached_property
    def _lasting_fingerprint(self) -> str:
        return self._fingerprint()

    def _fingerprint(self) -> str:
        source = getattr(getattr(get_template(self.template_name), "template", None), "source", "")
        return super().fingerprint() + short_hash(str(source).encode())


def template_name(name: str) -> str:
    """Return the template of a widget: "shop.popular" is shop/widgets/popular.html."""
    app, _, noun = name.partition(".")
    if not (app.isidentifier() and noun.isidentifier()):
        raise ImproperlyConfigured(f'a widget is called "<app>.<noun>", not "{name}"')
    return f"{app}/widgets/{noun}.html"


def widget(  # noqa: PLR0913 - options by keyword
    name: str,
    *,
    timeout: timedelta,
    tags: Tags = (),
    stale_for: timedelta = NEVER_STALE,
    refresh_ahead: bool | float | None = None,
    refresh: Refresh = Refresh.ON_READ,
    bulk: Callable[[Sequence[Any]], Mapping[Any, Context]] | None = None,
) -> Callable[[Callable[P, Context]], Widget[P]]:
    """Keep the fragment that the template renders with what the decorated function returns.

    The function returns the context, or None for nothing at all. For the rest see `cached`.
    Widgets live in the `widgets` module of an installed app, where templates find them by name.
    """
    policy = Policy(
        timeout=timeout,
        tags=tags,
        stale_for=stale_for,
        refresh_ahead=refresh_ahead,
        refresh=refresh,
        bulk=bulk,
    )

    def decorate(function: Callable[P, Context]) -> Widget[P]:
        known = registry.get(name)
        if known is not None and _origin(known) != _origin(function):
            raise ImproperlyConfigured(f'two widgets are called "{name}"')
        made = registry[name] = Widget(function, name=name, policy=policy)
        return made

    return decorate


def find_widget(name: str) -> Widget[Any]:
    """Return the widget of this name. Raises UnknownWidget."""
    try:
        return registry[name]
    except KeyError:
        raise UnknownWidget(f'no widget is called "{name}"') from None


def call(name: str, *args: Any, **kwargs: Any) -> Call[SafeString]:
    """Name a call of the widget `name`, for `prefetch`: also one of a layer above the caller."""
    return find_widget(name).call(*args, **kwargs)


def _origin(function: Callable[..., Any]) -> tuple[str, str]:
    return function.__module__, function.__qualname__
