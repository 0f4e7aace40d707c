"""The way in: a form, or the same address for scripts that ask for JSON.

202  {"photos": [{"id", "url", "state_url", "name"}], "refused": [{"name", "reason"}]}
422  the same shape, when nothing was taken
401  nobody is logged in     403  whoever is has not confirmed their address
"""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from apps.accounts.models import User
from apps.photos import services
from apps.photos.exceptions import NotConfirmed, TooManyFiles
from apps.photos.forms import OriginalsHandler, UploadForm
from apps.photos.services import Refusal, Upload
from apps.photos.views.looking import viewer_of


@csrf_exempt  # here only: the check reads the body, and its handler must be in place by then
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    if viewer is None:
        return _ask_to_log_in(request)
    if not viewer.is_confirmed:
        return _ask_to_confirm(request)
    if request.method != "POST":
        return _show(request, UploadForm())
    request.upload_handlers = [OriginalsHandler(request)]
    try:
        return _take(request)
    except TooManyFilesSent:
        refusal = Refusal(name="", reason=str(TooManyFiles()))
        return _answer(request, viewer, UploadForm(), Upload(refused=[refusal]))


@csrf_protect
def _take(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    form = UploadForm(request.POST, request.FILES)
    if viewer is None:
        return _ask_to_log_in(request)
    if form.is_valid():
        return _answer(
            request, viewer, form, services.upload_photos(owner=viewer, **form.cleaned_data)
        )
    errors = [
        Refusal(name="", reason=str(error)) for errors in form.errors.values() for error in errors
    ]
    return _answer(request, viewer, form, Upload(refused=errors))


def _answer(request: HttpRequest, viewer: User, form: UploadForm, upload: Upload) -> HttpResponse:
    status = 202 if upload.photos else 422
    if _wants_json(request):
        return JsonResponse(_as_json(upload), status=status)
    if upload.refused:
        return _show(request, form, upload, status=status)
    count = len(upload.photos)
    words = ngettext("%(count)d photo is developing.", "%(count)d photos are developing.", count)
    messages.success(request, words % {"count": count})
    return redirect("person", viewer.username)


def _show(
    request: HttpRequest, form: UploadForm, upload: Upload | None = None, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "upload": upload,
        "max_bytes": settings.PHOTO_MAX_BYTES,
        "max_files": settings.PHOTOS_PER_UPLOAD,
    }
    return render(request, "photos/upload.html", context, status=status)


def _as_json(upload: Upload) -> dict[str, object]:
    return {
        "photos": [
            {
                "id": str(photo.pk),
                "url": photo.get_absolute_url(),
                "state_url": reverse("photo_state", args=[photo.pk]),
                "name": photo.original_name,
            }
            for photo in upload.photos
        ],
        "refused": [
            {
                "name": refusal.name,
                "reason": refusal.reason,
                **({"url": refusal.photo.get_absolute_url()} if refusal.photo else {}),
            }
            for refusal in upload.refused
        ],
    }


def _ask_to_log_in(request: HttpRequest) -> HttpResponse:
    if not _wants_json(request):
        return redirect_to_login(request.get_full_path())
    return JsonResponse({"error": _("Log in first.")}, status=401)


def _ask_to_confirm(request: HttpRequest) -> HttpResponse:
    if not _wants_json(request):
        return render(request, "photos/not_confirmed.html", status=403)
    return JsonResponse({"error": str(NotConfirmed())}, status=403)


def _wants_json(request: HttpRequest) -> bool:
    preferred = request.get_preferred_type(["text/html", "application/json"])
    return preferred == "application/json"
