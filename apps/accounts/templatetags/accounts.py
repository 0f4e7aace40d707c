"""`{% load accounts %}{% avatar person %}`: the small square picture of a person."""

from __future__ import annotations

from django import template

from apps.accounts.models import User

register = template.Library()


@register.inclusion_tag("avatar.html")
def avatar(person: User, size: str = "medium") -> dict[str, object]:
    """Draw a person's avatar, or the initials; `size` is tiny, small, medium or large."""
    return {"person": person, "size": size}
