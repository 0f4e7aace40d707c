from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from apps.accounts.models import User
from apps.photos.models import Photo
from apps.social import services
from apps.social.views.answers import by_a_person, find_photo, go_back, wants_json


@require_POST
@by_a_person
def like(request: HttpRequest, person: User, pk: UUID) -> HttpResponse:
    photo = find_photo(person, pk)
    services.like_photo(person=person, photo=photo)
    return _answer(request, photo, is_liked=True)


@require_POST
@by_a_person
def unlike(request: HttpRequest, person: User, pk: UUID) -> HttpResponse:
    photo = find_photo(person, pk)
    services.unlike_photo(person=person, photo=photo)
    return _answer(request, photo, is_liked=False)


def _answer(request: HttpRequest, photo: Photo, *, is_liked: bool) -> HttpResponse:
    if wants_json(request):
        photo.refresh_from_db(fields=["like_count"])
        return JsonResponse({"on": is_liked, "count": photo.like_count})
    return go_back(request, photo.get_absolute_url())
