"""How often a photo was looked at: for its owner."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import msgspec
from django.db.models import Q, Sum
from django.utils import timezone

from apps.photos.models import PhotoViews

CHART_DAYS = 30
# A day with few views beside one with many still has a bar to see.
LOWEST_BAR = 3


class ViewsOfDay(msgspec.Struct, frozen=True):
    day: date
    count: int
    height: int
    """Of its bar, in percent of the highest."""

    @property
    def top(self) -> int:
        return 100 - self.height


class Views(msgspec.Struct, frozen=True):
    """The views of all time and of the days of the chart, and each of these days, oldest first."""

    total: int
    recent: int
    days: list[ViewsOfDay]

    @property
    def seen_days(self) -> list[ViewsOfDay]:
        """The days on which somebody looked, newest first."""
        return [day for day in reversed(self.days) if day.count]


def read_views(*, photo_id: UUID, days: int = CHART_DAYS) -> Views:
    """The views of a photo up to today. Those of the last second may still be on their way."""
    rows = PhotoViews.objects.filter(photo=photo_id)
    today = timezone.localdate()
    shown = [today - timedelta(days=ago) for ago in reversed(range(days))]
    total = rows.aggregate(total=Sum("count", default=0))["total"]
    recent = Q(day__gte=shown[0], day__lte=today)
    counts = dict(rows.filter(recent).values_list("day", "count")) if total else {}
    highest = max(counts.values(), default=0)
    return Views(
        total=total,
        recent=sum(counts.values()),
        days=[_of_day(day, counts.get(day, 0), highest) for day in shown],
    )


def _of_day(day: date, count: int, highest: int) -> ViewsOfDay:
    height = max(LOWEST_BAR, round(100 * count / highest)) if count else 0
    return ViewsOfDay(day=day, count=count, height=height)
