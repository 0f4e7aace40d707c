"""What the owner (or staff) does to the picture itself, tried first and then saved.

GET …/edit/preview/?turns=1&brightness=20…
200  a WebP that nobody keeps          422  {"error"}: the input, or this picture, allows no preview
409  the same person asked anew        503, 504  {"error"}: no image worker had the time
"""

from __future__ import annotations

from base64 import b64encode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from apps import messaging, thumbnails
from apps.photos import selectors, services
from apps.photos.exceptions import PhotoError
from apps.photos.forms import PictureForm
from apps.photos.models import Photo
from apps.photos.views.editing import editable, show_editor
from apps.photos.views.looking import viewer_of

# How long a browser waits before it tries again where too many ask.
ASK_AGAIN_SECONDS = 1
_STATUS: dict[type[messaging.NotAnswered], int] = {
    messaging.Failed: 422,
    messaging.Superseded: 409,
    messaging.Busy: 503,
    messaging.Unavailable: 503,
    messaging.Late: 504,
}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def photo_edit_picture(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Save the edits; or, where no script does so, show what would come of them."""
    photo = editable(request, pk)
    if request.method != "POST":
        return redirect("photo_edit", pk)
    form = PictureForm(request.POST, photo=photo)
    if not photo.is_ready:
        raise Http404
    if "revert" in request.POST:
        form = PictureForm({"version": request.POST.get("version", "")}, photo=photo)
    if not form.is_valid():
        return show_editor(request, photo, picture=form, status=422)
    return _preview(request, form) if "preview" in request.POST else _save(request, form)


@login_required
@require_safe
def photo_edit_preview(request: HttpRequest, pk: UUID) -> HttpResponse:
    photo = editable(request, pk)
    if not photo.is_ready:
        raise Http404
    form = PictureForm(request.GET, photo=photo)
    if not form.is_valid():
        words = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return _private(JsonResponse({"error": words}, status=422))
    try:
        return _private(HttpResponse(_ask(request, form), content_type="image/webp"))
    except messaging.NotAnswered as error:
        response = JsonResponse({"error": _explain(error)}, status=_status_of(error))
        if response.status_code == _STATUS[messaging.Busy]:
            response["Retry-After"] = str(ASK_AGAIN_SECONDS)
        return _private(response)


def _save(request: HttpRequest, form: PictureForm) -> HttpResponse:
    data, photo = form.cleaned_data, form.photo
    try:
        services.edit_picture(photo=photo, edits=data["edits"], version=data["version"] or 0)
    except Photo.DoesNotExist as error:
        raise Http404 from error
    except PhotoError as error:
        photo.refresh_from_db()
        # What they chose stays, and the next time they have seen what the other did.
        form = PictureForm({**request.POST.dict(), "version": photo.edits_version}, photo=photo)
        form.add_error(None, str(error))
        return show_editor(request, photo, picture=form, status=409)
    return redirect(photo)


def _preview(request: HttpRequest, form: PictureForm) -> HttpResponse:
    address, status = "", 200
    try:
        address = f"data:image/webp;base64,{b64encode(_ask(request, form)).decode()}"
    except messaging.NotAnswered as error:
        form.add_error(None, _explain(error))
        status = _status_of(error)
    return show_editor(request, form.photo, picture=form, preview=address, status=status)


def _ask(request: HttpRequest, form: PictureForm) -> bytes:
    viewer = viewer_of(request)
    if viewer is None:
        raise Http404
    edits: thumbnails.Edits = form.cleaned_data["edits"]
    return services.preview_picture(photo=form.photo, edits=edits, viewer=viewer)


def _status_of(error: messaging.NotAnswered) -> int:
    """What a preview that did not come means in HTTP."""
    return _STATUS[type(error)]


def _explain(error: messaging.NotAnswered) -> str:
    """The same in the words of people."""
    match error:
        case messaging.Failed():
            return _explain_failure(str(error))
        case messaging.Superseded():
            return _("A newer preview was asked for.")
        case messaging.Late():
            return _("The darkroom took too long. Try again in a moment.")
        case messaging.Unavailable():
            return _("The darkroom cannot be reached. Try again in a moment.")
        case _:
            return _("The darkroom is busy. Try again in a moment.")


def _explain_failure(code: str) -> str:
    if code in (*thumbnails.Reason, Photo.ORIGINAL_MISSING):
        return selectors.explain(code)
    return _("The preview could not be made.")


def _private(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, private=True, no_store=True)
    response["X-Content-Type-Options"] = "nosniff"
    return response
