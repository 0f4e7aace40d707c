"""What services outside are told of the site, and what never."""

from __future__ import annotations

import json

import pytest

from apps.accounts import services as accounts
from apps.photos import services as photos
from apps.social import services as social
from apps.webhooks.models import Delivery
from tests.support.accounts import make_user
from tests.support.photos import make_photo
from tests.support.webhooks import make_webhook

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]


@pytest.fixture(autouse=True)
def webhook():
    return make_webhook("http://127.0.0.1:9/")


def told():
    return {made.topic: made.payload for made in Delivery.objects.all()}


def test_likes_comments_and_follows_are_told(settings):
    ada, ben = make_user("ada"), make_user("ben")
    photo = make_photo(ada, title="Fog")

    social.like_photo(person=ben, photo=photo)
    social.comment_on_photo(author=ben, photo=photo, text="Lovely.")
    social.follow_person(follower=ben, followed=ada)

    events = told()
    assert set(events) == {"photo.liked", "photo.commented", "user.followed"}
    assert events["photo.liked"]["photo"]["url"] == settings.SITE_URL + photo.get_absolute_url()
    assert events["photo.commented"]["text"] == "Lovely."
    assert events["user.followed"]["followed"]["username"] == "ada"


def test_a_second_like_is_no_event():
    ben, photo = make_user(), make_photo()

    social.like_photo(person=ben, photo=photo)
    social.like_photo(person=ben, photo=photo)

    assert Delivery.objects.count() == 1


def test_a_confirmed_person_is_told_without_the_address():
    accounts.confirm(person=make_user("ada", confirmed=False, email="ada@secret.example"))

    assert set(told()) == {"user.confirmed"}
    assert "secret" not in json.dumps(told())


def test_the_deletion_of_what_nobody_saw_is_not_told():
    photos.delete_photo(photo=make_photo(state="developing"))
    assert told() == {}

    photo = make_photo()
    pk = str(photo.pk)
    photos.delete_photo(photo=photo)
    assert told() == {"photo.deleted": {"id": pk}}
