from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from apps.announcements.models import Announcement
from tests.support.accounts import make_user
from tests.support.announcements import make_announcement
from tests.support.pages import logged_in, page_of

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/announcements/announcement/"


@pytest.fixture
def staff(db: None) -> Client:
    return logged_in(make_user("root", is_staff=True, is_superuser=True))


def filled(text: str) -> dict[str, str]:
    now = timezone.localtime()
    return {
        "text": text,
        "level": "info",
        "starts_at_0": now.strftime("%Y-%m-%d"),
        "starts_at_1": now.strftime("%H:%M:%S"),
        "ends_at_0": "",
        "ends_at_1": "",
        "is_dismissible": "on",
    }


def test_what_staff_write_is_on_the_home_page(staff: Client, client: Client) -> None:
    page_of(client, "/")

    response = staff.post(f"{LIST}add/", filled("Closed."))

    assert response.status_code == 302
    assert "Closed." in page_of(client, "/")


def test_what_staff_change_or_delete_changes_there_too(staff: Client, client: Client) -> None:
    announcement = make_announcement("Closed.")
    page_of(client, "/")

    staff.post(f"{LIST}{announcement.pk}/change/", filled("Open."))

    assert "Open." in page_of(client, "/")
    staff.post(f"{LIST}{announcement.pk}/delete/", {"post": "yes"})
    assert "Open." not in page_of(client, "/")
    assert not Announcement.objects.exists()


def test_several_are_deleted_at_once(staff: Client, client: Client) -> None:
    ids = [make_announcement(text).pk for text in ("One.", "Two.")]
    page_of(client, "/")

    staff.post(LIST, {"action": "delete_selected", "_selected_action": ids, "post": "yes"})

    assert "One." not in page_of(client, "/")
    assert "Two." not in page_of(client, "/")
