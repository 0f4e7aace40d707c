"""What others did: a page to read, and two forms on it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.models import User
from apps.social import selectors, services
from apps.social.forms import ChoiceForm, SeenForm
from apps.social.views.answers import by_a_person


@require_safe
@never_cache
@login_required
def notifications(request: HttpRequest) -> HttpResponse:
    viewer = request.user
    assert viewer.is_authenticated  # noqa: S101 - login_required says so, to those who run it
    before = _place(request)
    page = selectors.list_news(person=viewer, before=before)
    choice = selectors.find_choice(person_id=viewer.pk)
    wanted = {"likes": choice.likes, "conversations": choice.conversations}
    context = {"page": page, "before": before, "form": ChoiceForm(initial=wanted)}
    return render(request, "social/notifications.html", context)


@require_POST
@by_a_person
def notifications_seen(request: HttpRequest, viewer: User) -> HttpResponse:
    form = SeenForm(request.POST)
    if form.is_valid():
        services.mark_seen(person=viewer, up_to=form.cleaned_data["up_to"])
    return redirect("notifications")


@require_POST
@by_a_person
def notifications_choose(request: HttpRequest, viewer: User) -> HttpResponse:
    form = ChoiceForm(request.POST)
    if form.is_valid():
        services.choose_notifications(person=viewer, **form.cleaned_data)
    return redirect("notifications")


def _place(request: HttpRequest) -> int:
    """Where the page begins: below the notification with this id."""
    try:
        before = int(request.GET.get("before", "0")[:18])
    except ValueError as error:
        raise Http404 from error
    if before < 0:
        raise Http404
    return before
