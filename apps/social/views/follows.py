from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from apps.accounts.models import User
from apps.social import selectors, services
from apps.social.views.answers import by_a_person, find_person, go_back, wants_json


@require_POST
@by_a_person
def follow(request: HttpRequest, follower: User, username: str) -> HttpResponse:
    followed = find_person(username)
    services.follow_person(follower=follower, followed=followed)
    return _answer(request, followed, is_followed=True)


@require_POST
@by_a_person
def unfollow(request: HttpRequest, follower: User, username: str) -> HttpResponse:
    followed = find_person(username)
    services.unfollow_person(follower=follower, followed=followed)
    return _answer(request, followed, is_followed=False)


def _answer(request: HttpRequest, followed: User, *, is_followed: bool) -> HttpResponse:
    if wants_json(request):
        follows = selectors.count_follows(person_id=followed.pk)
        return JsonResponse({"on": is_followed, "count": follows.followers})
    return go_back(request, followed.get_absolute_url())
