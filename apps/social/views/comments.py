from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps import caching
from apps.accounts.models import User
from apps.photos import selectors as photos
from apps.photos.models import Photo
from apps.social import selectors, services, widgets
from apps.social.exceptions import TooFast
from apps.social.forms import CommentForm
from apps.social.models import Comment
from apps.social.views.answers import by_a_person, find_photo, go_back, wants_json


@require_http_methods(["GET", "HEAD", "POST"])
def comments(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What was said to a photo, page by page; POST says something."""
    if request.method == "POST":
        return _say(request, pk)
    viewer = request.user if request.user.is_authenticated else None
    try:
        before = int(request.GET.get("before", "0")[:18])
    except ValueError as error:
        raise Http404 from error
    return _show(request, find_photo(viewer, pk), CommentForm(), before=before)


@require_safe
@caching.cached_view(timeout=timedelta(minutes=30))
def comment_list(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The newest comments alone: for open pages that hear of another (static/js/talk.js).

    Everybody who looks asks in the same moment, so it is kept whole for those without a name.
    """
    photo = photos.find_details(pk=pk)
    if photo is None:
        raise Http404
    return render(request, "social/comment_list.html", {"photo": photo})


@by_a_person
def _say(request: HttpRequest, author: User, pk: UUID) -> HttpResponse:
    photo = find_photo(author, pk)
    form = CommentForm(request.POST)
    if not form.is_valid():
        return _refuse(request, photo, form)
    try:
        comment = services.comment_on_photo(author=author, photo=photo, **form.cleaned_data)
    except TooFast as error:
        form.add_error("text", str(error))
        return _refuse(request, photo, form)
    if wants_json(request):
        return _describe(request, comment)
    return redirect(comment)


@require_POST
@by_a_person
def comment_delete(request: HttpRequest, viewer: User, pk: int) -> HttpResponse:
    try:
        comment = selectors.get_deletable_comment(viewer=viewer, pk=pk)
    except Comment.DoesNotExist as error:
        raise Http404 from error
    services.delete_comment(comment=comment)
    if wants_json(request):
        comment.photo.refresh_from_db(fields=["comment_count"])
        return JsonResponse({"count": comment.photo.comment_count})
    return go_back(request, comment.photo.get_absolute_url())


def _describe(request: HttpRequest, comment: Comment) -> HttpResponse:
    comment.photo.refresh_from_db(fields=["comment_count"])
    entry = (comment.pk, comment.author_id)
    item = {"entry": entry, "widget": widgets.comment(entry), "may_delete": True}
    context = {"item": item, "way_back": comment.photo.get_absolute_url()}
    html = render_to_string("social/comment_item.html", context, request)
    answer = {"id": comment.pk, "html": html, "count": comment.photo.comment_count}
    return JsonResponse(answer, status=201)


def _refuse(request: HttpRequest, photo: Photo, form: CommentForm) -> HttpResponse:
    """Say what is wrong with the text, and give it back to be mended."""
    if wants_json(request):
        return JsonResponse({"error": " ".join(map(str, form.errors["text"]))}, status=422)
    return _show(request, photo, form, before=0, status=422)


def _show(
    request: HttpRequest, photo: Photo, form: CommentForm, *, before: int, status: int = 200
) -> HttpResponse:
    context = {"photo": photo, "form": form, "before": before}
    return render(request, "social/comments_page.html", context, status=status)
