"""What a browser tells of somebody who looks."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.photos import selectors, services
from apps.photos.views.looking import viewer_of

# Those that run scripts and say who they are.
_ROBOT = re.compile(r"bot\b|crawl|spider|slurp|preview|facebookexternalhit", re.IGNORECASE)


# A page that came whole from a cache has no token to send, and nothing here is anybody's secret.
@csrf_exempt
@require_POST
def photo_seen(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Count a look at a photo that everybody may see (static/js/seen.js sends it).

    Beside the page and not in it: pages are loaded ahead, fetched by robots, and come from caches.
    """
    photo = selectors.find_details(pk=pk)
    if photo is None:
        raise Http404
    if not _is_from_a_page_of_ours(request):
        return HttpResponse(status=403)
    if not _ROBOT.search(request.headers.get("User-Agent", "")):
        services.note_view(photo=photo, viewer=viewer_of(request))
    return HttpResponse(status=204)


def _is_from_a_page_of_ours(request: HttpRequest) -> bool:
    """What browsers say by themselves, and no page of another site can make them deny."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == request.get_host()
