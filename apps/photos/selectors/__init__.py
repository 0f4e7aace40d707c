"""Every read of a page, and who may see what: permission comes with the fetch."""

from __future__ import annotations

from apps.photos.selectors.details import (
    PhotoDetails,
    Size,
    describe,
    describe_many,
    explain,
    find_details,
)
from apps.photos.selectors.numbers import Numbers, count_numbers
from apps.photos.selectors.photos import (
    find_twin,
    get_editable_photo,
    get_visible_photo,
    list_unfinished,
    may_listen,
    read_live_state,
    read_state,
)
from apps.photos.selectors.streams import (
    PAGE,
    Cursor,
    Entry,
    Neighbours,
    StreamPage,
    find_neighbours,
    list_popular,
    list_stream,
    list_stream_of,
)
from apps.photos.selectors.views import Views, ViewsOfDay, read_views

__all__ = [
    "PAGE",
    "Cursor",
    "Entry",
    "Neighbours",
    "Numbers",
    "PhotoDetails",
    "Size",
    "StreamPage",
    "Views",
    "ViewsOfDay",
    "count_numbers",
    "describe",
    "describe_many",
    "explain",
    "find_details",
    "find_neighbours",
    "find_twin",
    "get_editable_photo",
    "get_visible_photo",
    "list_popular",
    "list_stream",
    "list_stream_of",
    "list_unfinished",
    "may_listen",
    "read_live_state",
    "read_state",
    "read_views",
]
