from __future__ import annotations

import pytest
from django.utils import timezone

from apps.mail.selectors import find_refusal
from tests.support.mail import make_letter

pytestmark = pytest.mark.django_db
BEN = "ben@example.test"


def sent():
    return make_letter(to=BEN, state="sent", sent_at=timezone.now())


def test_an_address_that_refused_its_last_letter_does_not_work():
    sent()
    refused = make_letter(to=BEN, state="refused", code=550)

    assert find_refusal(to=BEN) == refused
    assert find_refusal(to="Ben@Example.test") == refused


def test_so_does_not_one_that_was_given_up():
    dead = make_letter(to=BEN, state="dead")

    assert find_refusal(to=BEN) == dead


def test_an_address_that_took_a_letter_since_works_again():
    make_letter(to=BEN, state="refused")
    sent()

    assert find_refusal(to=BEN) is None


def test_a_letter_that_is_still_on_its_way_says_nothing():
    refused = make_letter(to=BEN, state="refused")
    make_letter(to=BEN, state="waiting")

    assert find_refusal(to=BEN) == refused


def test_the_refusal_of_another_address_says_nothing():
    make_letter(to="eve@example.test", state="refused")

    assert find_refusal(to=BEN) is None
