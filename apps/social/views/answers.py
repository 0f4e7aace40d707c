"""How the views answer: back to where one was, or JSON for those who asked for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from apps.accounts.models import User
from apps.accounts.selectors import get_person
from apps.photos import selectors as photos
from apps.photos.models import Photo
from apps.social.exceptions import SocialError

P = ParamSpec("P")
Action = Callable[Concatenate[HttpRequest, User, P], HttpResponse]
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def by_a_person(action: Action[P]) -> View[P]:
    """Pass on who asks. Show others the log-in, and tell people why they may not."""

    @wraps(action)
    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return _ask_to_log_in(request)
        try:
            return action(request, request.user, *args, **kwargs)
        except SocialError as error:
            if wants_json(request):
                return JsonResponse({"error": str(error)}, status=403)
            messages.error(request, str(error))
            return go_back(request, resolve_url("home"))

    return answer


def wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def go_back(request: HttpRequest, otherwise: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(_way_back(request, otherwise))


def find_photo(viewer: User | None, pk: UUID) -> Photo:
    """The photo, if this viewer may see it. Raises Http404."""
    try:
        return photos.get_visible_photo(viewer=viewer, pk=pk)
    except Photo.DoesNotExist as error:
        raise Http404 from error


def find_person(username: str) -> User:
    """The person, if there is a page of them, however the name is written. Raises Http404."""
    try:
        return get_person(username)
    except User.DoesNotExist as error:
        raise Http404 from error


def _ask_to_log_in(request: HttpRequest) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"login": resolve_url("account_login")}, status=401)
    # What was posted cannot be posted after the log-in: that leads back to the page instead.
    return redirect_to_login(_way_back(request, resolve_url("home")))


def _way_back(request: HttpRequest, otherwise: str) -> str:
    """The page that the form stood on, unless somebody made it lead out of the site."""
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else otherwise
