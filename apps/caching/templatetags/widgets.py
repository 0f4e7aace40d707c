"""`{% load widgets %}`: cached fragments in templates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from apps.caching.widgets import find_widget

register = template.Library()


@register.simple_tag
def widget(name: str, *args: Any, **kwargs: Any) -> SafeString:
    """Show one widget: {% widget "shop.popular" days=7 %}."""
    return find_widget(name)(*args, **kwargs)


@register.simple_tag
def widgets(name: str, items: Iterable[Any], **kwargs: Any) -> SafeString:
    """Show a widget for each item, with one round trip: {% widgets "shop.card" book_ids %}.

    An item is the first argument of the widget; of an object it is the primary key.
    """
    keys = [getattr(item, "pk", item) for item in items]
    return mark_safe("".join(find_widget(name).each(keys, **kwargs)))  # noqa: S308 - each is safe
