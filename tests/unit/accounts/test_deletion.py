"""The end of an account: everything of it goes, in every app, and is shown no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.accounts import services
from apps.accounts.models import User
from apps.photos.models import Photo
from apps.social.models import Comment, Follow, Like
from apps.social.services import comment_on_photo, follow_person, like_photo
from tests.support.accounts import PASSWORD, log_in
from tests.support.messaging import run_jobs
from tests.support.photos import files_of, make_original, make_photo

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
    pytest.mark.waived("INSERT", "accounts_user", because="who has not confirmed is in no list"),
    pytest.mark.waived(
        "UPDATE",
        "accounts_user",
        "avatar_original",
        "avatar_state",
        "avatar_reason",
        because="the avatar before is shown until the next is there",
    ),
]


def delete(client: Client, password: str = PASSWORD) -> Any:
    return client.post("/accounts/delete/", {"password": password})


def test_the_password_ends_the_account(client: Client, ada: User) -> None:
    log_in(client)

    response = delete(client)

    assert response["Location"] == "/"
    assert not User.objects.filter(pk=ada.pk).exists()
    assert "_auth_user_id" not in client.session
    assert client.get("/people/ada/").status_code == 404


@pytest.mark.parametrize("password", ["", "wrong", "x" * 5000])
def test_without_it_the_account_stays(client: Client, ada: User, password: str) -> None:
    log_in(client)

    assert delete(client, password).context["form"].errors
    assert User.objects.filter(pk=ada.pk).exists()


def test_opening_the_page_deletes_nothing(client: Client, ada: User) -> None:
    client.force_login(ada)

    assert client.get("/accounts/delete/").status_code == 200
    assert User.objects.filter(pk=ada.pk).exists()


def test_what_was_theirs_goes_with_them(ada: User, ben: User) -> None:
    mine, other = make_photo(ada), make_photo(ben)
    follow_person(follower=ada, followed=ben)
    like_photo(person=ada, photo=other)
    comment_on_photo(author=ada, photo=other, text="Fine light.")

    services.delete_account(person=ada)

    assert not Photo.objects.filter(pk=mine.pk).exists()
    assert not Comment.objects.exists()
    assert not Like.objects.exists()
    assert not Follow.objects.exists()
    assert User.objects.filter(pk=ben.pk).exists()


def test_the_files_of_the_avatar_follow(ada: User, media: Path) -> None:
    services.change_avatar(person=ada, upload=make_original())
    run_jobs()
    assert len(files_of(media)) == 5

    services.delete_account(person=ada)
    run_jobs()

    assert files_of(media) == []


def test_an_avatar_in_development_leaves_nothing(ada: User, media: Path) -> None:
    services.change_avatar(person=ada, upload=make_original())

    services.delete_account(person=ada)
    run_jobs()

    assert files_of(media) == []


@pytest.mark.django_db(transaction=True)
def test_nobody_is_shown_them_any_more(client: Client, ada: User, ben: User) -> None:
    photo, gone = make_photo(ben), make_photo(ada)
    comment_on_photo(author=ada, photo=photo, text="Fine light.")
    follow_person(follower=ada, followed=ben)

    def pages() -> str:
        addresses = ("/", photo.get_absolute_url(), ben.get_absolute_url())
        return "".join(client.get(address).content.decode() for address in addresses)

    shown = pages()
    assert "Fine light." in shown
    assert gone.get_absolute_url() in shown

    services.delete_account(person=ada)

    shown = pages()
    assert "Fine light." not in shown
    assert "/people/ada/" not in shown
    assert ">ada<" not in shown
    assert gone.get_absolute_url() not in shown


def test_the_name_and_the_address_are_free_again(ada: User) -> None:
    services.delete_account(person=ada)

    again = services.sign_up(username="ada", email="ada@example.org", password=PASSWORD)

    assert not again.is_ghost
