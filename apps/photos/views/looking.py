"""Pages to look at: the stream, a person, a photo, and how far it is."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_safe

from apps import caching
from apps.accounts.models import User
from apps.accounts.selectors import get_person
from apps.photos import selectors
from apps.photos.models import Photo

# How long a client waits before it asks again about a photo that is developing.
ASK_AGAIN_SECONDS = 1
# What a page may be asked for in by its cookie; see the tag `theme`.
THEMES = ("light", "dark")


@require_safe
@caching.cached_view(timeout=timedelta(minutes=5), cookies={"theme": THEMES})
def home(request: HttpRequest) -> HttpResponse:
    before = _place(request)
    # One round trip for the page and what stands beside it; the cards are the other.
    caching.prefetch(
        selectors.list_stream.call(before=before),
        caching.call("photos.popular", days=7),
        caching.call("photos.numbers"),
        caching.call("accounts.newest"),
        *_frame(request),
    )
    page = selectors.list_stream(before=before)
    return render(request, "photos/home.html", {"page": page, "before": before})


@require_safe
@caching.cached_view(timeout=timedelta(minutes=10), cookies={"theme": THEMES})
def person(request: HttpRequest, username: str) -> HttpResponse:
    try:
        owner = get_person(username)
    except User.DoesNotExist as error:
        raise Http404 from error
    if username != owner.username:
        # One address for each page: a name can be capitalised in a million ways.
        return redirect(_with_query(request, owner.get_absolute_url()))
    caching.uses(f"user:{owner.pk}")
    before = _place(request)
    # In this order: what is finished in between is found twice, and not missed.
    unfinished = _unfinished(request, owner) if not before else []
    page = selectors.list_stream_of(owner_id=owner.pk, before=before)
    finished = {pk for pk, _ in page.entries}
    context = {
        "person": owner,
        "page": page,
        "before": before,
        "unfinished": [photo for photo in unfinished if photo.pk not in finished],
    }
    return render(request, "photos/person.html", context)


@require_safe
@caching.cached_view(timeout=timedelta(minutes=30), cookies={"theme": THEMES})
def photo(request: HttpRequest, pk: UUID) -> HttpResponse:
    details = selectors.find_details(pk=pk) or selectors.describe(_visible(request, pk))
    viewer = viewer_of(request)
    neighbours = selectors.Neighbours()
    if details.is_ready and details.published_at:
        place = (details.owner_id, details.published_at, pk)
        caching.prefetch(
            selectors.find_neighbours.call(*place),
            caching.call("photos.byline", owner_id=details.owner_id),
            *_frame(request),
        )
        neighbours = selectors.find_neighbours(*place)
    is_owner = viewer is not None and viewer.pk == details.owner_id
    context = {
        "photo": details,
        "address": request.build_absolute_uri(details.get_absolute_url()),
        "poster": request.build_absolute_uri(details.poster.url) if details.poster else "",
        "neighbours": neighbours,
        "may_edit": is_owner or (viewer is not None and viewer.is_staff),
        "is_owner": is_owner,
        "views": selectors.read_views(photo_id=pk) if is_owner and details.is_ready else None,
    }
    return render(request, "photos/photo.html", context)


@require_safe
def photo_state(request: HttpRequest, pk: UUID) -> HttpResponse:
    details = selectors.describe(_visible(request, pk))
    response = JsonResponse(selectors.read_state(details))
    if details.is_unfinished:
        response["Retry-After"] = str(ASK_AGAIN_SECONDS)
        patch_cache_control(response, no_store=True)
        return response
    # It may still be deleted, or developed again: a client keeps it, but asks whether it is true.
    patch_cache_control(response, private=True, no_cache=True)
    response["ETag"] = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    return get_conditional_response(request, etag=response["ETag"], response=response) or response


@require_safe
def photo_card(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The photo as it stands in a stream: what a developing card is replaced by."""
    found = _visible(request, pk)
    details = selectors.describe(found)
    template = "photos/widgets/card.html" if details.is_ready else "photos/unfinished_card.html"
    return render(request, template, {"photo": details, "owner": found.owner})


def _frame(request: HttpRequest) -> list[caching.Call[Any]]:
    """What stands on every page around its content, to be asked for with what a page asks."""
    viewer = viewer_of(request)
    calls: list[caching.Call[Any]] = [caching.call("announcements.current")]
    return calls if viewer is None else [*calls, caching.call("social.bell", person_id=viewer.pk)]


def viewer_of(request: HttpRequest) -> User | None:
    return request.user if request.user.is_authenticated else None


def _with_query(request: HttpRequest, address: str) -> str:
    return f"{address}?{request.GET.urlencode()}" if request.GET else address


def _visible(request: HttpRequest, pk: UUID) -> Photo:
    try:
        return selectors.get_visible_photo(viewer=viewer_of(request), pk=pk)
    except Photo.DoesNotExist as error:
        raise Http404 from error


def _place(request: HttpRequest) -> str:
    """Where in a stream the page begins, written in the one way there is."""
    before = request.GET.get("before", "")
    try:
        return str(selectors.Cursor.parse(before)) if before else ""
    except ValueError as error:
        raise Http404 from error


def _unfinished(request: HttpRequest, owner: User) -> list[selectors.PhotoDetails]:
    viewer = viewer_of(request)
    if viewer is None or not (viewer.is_staff or viewer.pk == owner.pk):
        return []
    return [selectors.describe(photo) for photo in selectors.list_unfinished(owner=owner)]
