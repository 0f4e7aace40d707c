"""What staff announce stands on every page at once, and nowhere once it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from apps import caching
from apps.announcements import processing, services, widgets
from apps.announcements.models import Announcement
from tests.support.announcements import make_announcement
from tests.support.caching import trace
from tests.support.pages import page_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]
HOUR = timedelta(hours=1)


def test_it_is_on_every_page_as_soon_as_it_is_saved(client: Client) -> None:
    assert "Closed" not in page_of(client, "/")

    make_announcement("Closed <soon>.")

    assert "Closed &lt;soon&gt;." in page_of(client, "/")
    assert "Closed &lt;soon&gt;." in page_of(client, "/accounts/login/")


def test_other_words_and_a_deletion_are_seen_at_once(client: Client) -> None:
    announcement = make_announcement("Closed.")
    page_of(client, "/")

    announcement.text = "Open."
    services.save_announcement(announcement=announcement)

    page = page_of(client, "/")
    assert "Open." in page
    assert "Closed." not in page
    assert f'data-announcement="{announcement.version}"' in page
    services.delete_announcement(announcement=announcement)
    assert "Open." not in page_of(client, "/")


def test_the_clock_shows_it_and_takes_it_away(client: Client) -> None:
    make_announcement("Closed.", begins=HOUR, lasts=HOUR)
    now = timezone.now()
    assert "Closed." not in page_of(client, "/")
    assert processing.turn() == 0

    with time_machine.travel(now + 1.5 * HOUR, tick=False):
        assert processing.turn() == 1
        assert processing.turn() == 0
        assert "Closed." in page_of(client, "/")
    with time_machine.travel(now + 3 * HOUR, tick=False):
        assert processing.turn() == 1
        assert "Closed." not in page_of(client, "/")


def test_one_that_is_over_before_it_begins_is_refused() -> None:
    with pytest.raises(ValidationError, match="after it has begun"):
        make_announcement(lasts=-HOUR)

    assert not Announcement.objects.exists()


def test_a_warm_page_that_is_not_kept_whole_asks_no_more_often_for_it(client: Client) -> None:
    make_announcement()
    page_of(client, "/?x=1")

    with trace() as seen:
        assert "Closed on Sunday." in page_of(client, "/?x=1")

    assert len(seen.trips) <= 2
    assert seen.queries == []


def test_an_important_one_is_an_alert_and_may_have_to_stay() -> None:
    make_announcement("Fire.", level="warning", is_dismissible=False)

    html = widgets.current()

    assert 'role="alert"' in html
    assert "data-dismiss" not in html


def test_the_newest_comes_first() -> None:
    make_announcement("Old.", begins=-HOUR)
    make_announcement("New.")

    html = widgets.current()

    assert html.index("New.") < html.index("Old.")


def test_open_pages_are_told_the_fragment_itself() -> None:
    caching.invalidate("announcements")
    make_announcement("Closed.")

    state = widgets.read_live_state(name="announcements")

    assert state is not None
    assert "Closed." in str(state["html"])
    assert widgets.read_live_state(name="secrets") is None
