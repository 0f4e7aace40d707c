"""The worker's side: from an original to its renditions, and the removal of both.

Every write is conditional on the state that it leaves, and every file has one possible content:
done twice, or by two workers at once, the result is that of once.
"""

from __future__ import annotations

from apps.photos.processing.development import develop, fail, give_up
from apps.photos.processing.editing import apply_edits, fail_edits, give_up_edits, preview
from apps.photos.processing.removal import remove_files, remove_replaced, sweep_deleted
from apps.photos.processing.views import count_views

__all__ = [
    "apply_edits",
    "count_views",
    "develop",
    "fail",
    "fail_edits",
    "give_up",
    "give_up_edits",
    "preview",
    "remove_files",
    "remove_replaced",
    "sweep_deleted",
]
