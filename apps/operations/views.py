from __future__ import annotations

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template import loader
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.operations import selectors
from apps.operations.middleware import current_request_id


@require_safe
@never_cache
def alive(request: HttpRequest) -> HttpResponse:
    """The process answers. Nothing else is looked at: a restart would not mend a database."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """Say whether requests should be sent here, and why not."""
    report = selectors.read_readiness()
    return HttpResponse(
        msgspec.json.encode(report),
        content_type="application/json",
        status=200 if report.is_ready else 503,
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Give the error page without session, database or cache: one of them may be the error."""
    page = loader.render_to_string("500.html", {"request_id": current_request_id()})
    return HttpResponseServerError(page)
