"""The site in numbers."""

from __future__ import annotations

import msgspec
from django.db.models import Count, Sum

from apps.accounts.models import User
from apps.photos.models import Photo


class Numbers(msgspec.Struct, frozen=True):
    photos: int
    people: int
    likes: int


def count_numbers() -> Numbers:
    published = Photo.objects.published().aggregate(
        photos=Count("pk"), likes=Sum("like_count", default=0)
    )
    people = User.objects.filter(is_active=True, confirmed_at__isnull=False).count()
    return Numbers(people=people, **published)
