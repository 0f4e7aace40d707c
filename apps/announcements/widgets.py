"""What stands at the top of every page, and what open pages are told of it."""

from __future__ import annotations

from datetime import timedelta

from apps import caching, live
from apps.announcements.models import Announcement

# The one topic of this kind is `site:announcements`.
KIND, NAME = "site", "announcements"


@caching.widget("announcements.current", timeout=timedelta(hours=6), tags=["announcements"])
def current() -> dict[str, object]:
    """All that is announced now; nothing at all on most days."""
    return {"announcements": list(Announcement.objects.shown())}


def may_listen(*, viewer: live.Viewer, name: str) -> bool:  # noqa: ARG001 - everybody may
    return name == NAME


def read_live_state(*, name: str) -> live.State | None:
    """The fragment itself, read past the cache: a thousand pages need not ask for it."""
    return {"html": current.fresh()} if name == NAME else None
