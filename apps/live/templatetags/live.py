"""`{% load live %}`: where browsers find the live process."""

from __future__ import annotations

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def live_address() -> str:
    """Give the address of the stream: on the origin of the site, unless LIVE_URL is another."""
    return f"{settings.LIVE_URL}/live/"
