from __future__ import annotations

import pytest
from django.urls import reverse

from apps.messaging import Job
from tests.support.mail import make_letter

pytestmark = pytest.mark.django_db
LIST = "admin:mail_letter_changelist"


def send_again(client, *chosen):
    data = {"action": "send_again", "_selected_action": [letter.pk for letter in chosen]}
    return client.post(reverse(LIST), data, follow=True).content.decode()


def test_letters_are_found_by_what_became_of_them(admin_client):
    make_letter(to="ben@example.test", state="refused", code=550)
    make_letter(to="cyd@example.test")

    page = admin_client.get(reverse(LIST), {"state__exact": "refused"}).content.decode()

    assert "ben@example.test" in page
    assert "550" in page
    assert "cyd@example.test" not in page


def test_a_letter_shows_its_reply_and_cannot_be_changed(admin_client):
    letter = make_letter(state="refused", reply="nobody of that name")
    address = reverse("admin:mail_letter_change", args=[letter.pk])

    assert "nobody of that name" in admin_client.get(address).content.decode()
    assert admin_client.post(address, {"to": "eve@example.test"}).status_code == 403


def test_staff_cannot_read_what_may_be_the_key_to_an_account(admin_client):
    letter = make_letter(text="http://localhost/reset/key/", html="http://localhost/reset/key/")

    page = admin_client.get(reverse("admin:mail_letter_change", args=[letter.pk]))

    assert "/reset/key/" not in page.content.decode()


def test_a_letter_cannot_be_written_in_the_admin(admin_client):
    assert admin_client.get(reverse("admin:mail_letter_add")).status_code == 403


def test_a_refused_letter_is_sent_again(admin_client):
    letter = make_letter(state="refused")

    page = send_again(admin_client, letter)

    letter.refresh_from_db()
    assert "1 letter is queued again." in page
    assert letter.state == "queued"
    assert Job.objects.get().arguments == {"letter_id": letter.pk}


def test_a_letter_that_is_on_its_way_is_left_alone(admin_client):
    page = send_again(admin_client, make_letter(state="sending"))

    assert "were left alone" in page
    assert not Job.objects.exists()
