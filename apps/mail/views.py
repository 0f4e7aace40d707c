"""The inbox of a development machine: what the site wrote to anybody. Nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import msgspec
from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from apps.mail import selectors
from apps.mail.selectors import Received

View = Callable[..., HttpResponseBase]
# Whatever a letter contains, it may show itself and do nothing: no script, no form, no request.
SHOW_AND_DO_NOTHING = {
    "sandbox": ["allow-popups"],
    "default-src": [NONE],
    "script-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": ["data:"],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
}
IN_JSON = ("to", "subject", "text", "html", "links")


def development_only(view: View) -> View:
    """404 wherever letters reach real people: they are nobody else's business."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        if not (settings.DEBUG and settings.INBOX_DIR):
            raise Http404("There is no inbox here.")
        return view(request, **kwargs)

    return guarded


@require_safe
@never_cache
@development_only
def inbox(request: HttpRequest) -> HttpResponse:
    letters = selectors.list_received()
    if request.GET.get("format") == "json":
        found = [msgspec.to_builtins(letter) for letter in letters]
        return JsonResponse(
            {"letters": [{name: letter[name] for name in IN_JSON} for letter in found]}
        )
    return render(request, "mail/pages/inbox.html", {"letters": letters})


@require_safe
@never_cache
@development_only
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # typed for views without arguments
def inbox_letter(request: HttpRequest, key: str) -> HttpResponse:
    return render(request, "mail/pages/letter.html", {"letter": _get_received(key)})


@require_safe
@never_cache
@development_only
@xframe_options_sameorigin
@csp_replace(SHOW_AND_DO_NOTHING)  # type: ignore[arg-type]
def inbox_html(request: HttpRequest, key: str) -> HttpResponse:
    return HttpResponse(_get_received(key).html)


def _get_received(key: str) -> Received:
    letter = selectors.find_received(key=key)
    if letter is None:
        raise Http404("There is no such letter.")
    return letter
