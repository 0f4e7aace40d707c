"""Renditions over HTTP, for where no web server or CDN in front serves the folder itself."""

from __future__ import annotations

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from apps.thumbnails import publishing

_TYPES = {"webp": "image/webp", "jpg": "image/jpeg"}
# The headers make the file a picture and nothing else, whatever its bytes might look like.
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


@require_safe
def rendition(request: HttpRequest, *, name: str, extension: str) -> HttpResponseBase:
    """Send a rendition, which a browser may keep for ever: another picture has another address.

    One that has been deleted is gone even for a browser that asks whether it changed.
    """
    place = publishing.storage()
    path = f"{name}.{extension}"
    etag = f'"{path.replace("/", "-")}"'
    if not place.exists(path):
        raise Http404
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if response is None:
        try:
            response = FileResponse(place.open(path), content_type=_TYPES[extension])
        except FileNotFoundError as error:
            raise Http404 from error
    for header, value in {**_HEADERS, "ETag": etag}.items():
        response.headers[header] = value
    return response
