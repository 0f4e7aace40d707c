"""`{% load accounts %}`: `{% avatar person %}`, and `{{ session.user_agent|device }}`."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from apps.accounts.models import User

register = template.Library()
# The first that is named counts: most browsers also give the names of those before them.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "Chrome/": "Chrome",
    "CriOS/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "Mac",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


@register.inclusion_tag("avatar.html")
def avatar(person: User, size: str = "medium") -> dict[str, object]:
    """Draw a person's avatar, or the initials; `size` is tiny, small, medium or large."""
    return {"person": person, "size": size}


@register.filter
def device(user_agent: str) -> str:
    """Return what a person calls the browser and the machine that say this of themselves."""
    browser = _first(BROWSERS, user_agent)
    system = _first(SYSTEMS, user_agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("An unknown device")


def _first(names: dict[str, str], text: str) -> str:
    return next((name for sign, name in names.items() if sign in text), "")
