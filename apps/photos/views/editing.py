"""What the owner (or staff) does with a photo."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.photos import selectors, services
from apps.photos.forms import EditForm, PictureForm
from apps.photos.models import Photo
from apps.photos.views.looking import viewer_of


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def photo_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    photo = editable(request, pk)
    form = EditForm(request.POST or None, instance=photo)
    if request.method == "POST" and form.is_valid():
        services.edit_photo(photo=photo, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect(photo)
    return show_editor(request, photo, words=form)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def photo_delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    photo = editable(request, pk)
    if request.method == "POST":
        owner = photo.owner
        services.delete_photo(photo=photo)
        messages.success(request, _("The photo is deleted."))
        return redirect("person", owner.username)
    return render(request, "photos/delete.html", {"photo": selectors.describe(photo)})


@login_required
@require_POST
def photo_develop(request: HttpRequest, pk: UUID) -> HttpResponse:
    photo = editable(request, pk)
    if photo.state == Photo.State.FAILED:
        services.develop_again(photo=photo)
    return redirect(photo)


def editable(request: HttpRequest, pk: UUID) -> Photo:
    """The photo, if whoever asks may change it. Raises Http404 and PermissionDenied."""
    viewer = viewer_of(request)
    if viewer is None:
        raise Http404
    try:
        return selectors.get_editable_photo(viewer=viewer, pk=pk)
    except Photo.DoesNotExist as error:
        raise Http404 from error


def show_editor(  # noqa: PLR0913 - two forms on one page
    request: HttpRequest,
    photo: Photo,
    *,
    words: EditForm | None = None,
    picture: PictureForm | None = None,
    preview: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page with both forms; `preview` is the address of a picture to show above them."""
    context = {
        "form": words or EditForm(instance=photo),
        "picture": picture or PictureForm(photo=photo),
        "photo": selectors.describe(photo),
        "preview": preview,
    }
    return render(request, "photos/edit.html", context, status=status)
