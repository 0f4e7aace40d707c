"""What web and live processes ask before they take their first request."""

from __future__ import annotations

from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured


def refuse_unsafe_settings() -> None:
    """Raise ImproperlyConfigured with every error of the settings, if there is one.

    The servers of WSGI and ASGI run no checks of their own, and a site that would hurt its people
    should not start.
    """
    messages = run_checks(tags=["safelight"])
    errors = [str(message) for message in messages if message.is_serious()]
    if errors:
        raise ImproperlyConfigured("\n".join(errors))
