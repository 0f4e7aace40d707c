"""Avatars: stored at once, developed by a worker, never half shown, gone when they should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template import Context, Template
from django.test import Client
from pytest_django import Settings

from apps import messaging, thumbnails
from apps.accounts import processing, services, tasks
from apps.accounts.models import User
from apps.accounts.widgets import newest
from apps.messaging.models import Job
from tests.support.accounts import make_user
from tests.support.messaging import run_jobs
from tests.support.photos import files_of, make_original
from tests.support.pictures import SECRET_PLACE, Format, corners, is_upright, make_picture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]
NAMES = {"96.webp", "96.jpg", "320.webp", "320.jpg"}


def change(person: User, content: bytes | None = None) -> User:
    services.change_avatar(person=person, upload=make_original(content=content))
    return person


def developed(person: User, content: bytes | None = None) -> User:
    change(person, content)
    run_jobs()
    person.refresh_from_db()
    return person


def original_of(person: User) -> str:
    return person.avatar_name.removeprefix("avatars/")


def test_an_avatar_waits_for_its_worker(ada: User, media: Path) -> None:
    change(ada)

    assert ada.avatar_state == "queued"
    assert ada.is_avatar_developing
    assert ada.avatar_url == ""
    assert files_of(media) == [f"originals/avatars/{original_of(ada)}"]


def test_a_worker_makes_the_squares(ada: User, media: Path) -> None:
    developed(ada, make_picture(size=(400, 300)))

    assert ada.avatar_state == "ready"
    assert set(ada.avatar_renditions) == NAMES
    assert ada.avatar_url == f"/media/renditions/{ada.avatar_key}/96.webp"
    assert ada.large_avatar_url == f"/media/renditions/{ada.avatar_key}/320.webp"
    assert {Path(name).name for name in files_of(media / "renditions")} == NAMES


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "tiff", "heic", "avif"])
def test_every_kind_of_picture_may_be_one(ada: User, kind: Format) -> None:
    assert developed(ada, make_picture(kind)).avatar_state == "ready"


def test_it_stands_upright_and_tells_no_place(ada: User, media: Path) -> None:
    developed(ada, make_picture(size=(300, 300), orientation=6, gps=True))

    square = media / "renditions" / ada.avatar_renditions["320.jpg"]
    assert is_upright(square), corners(square)
    assert str(SECRET_PLACE[0]).encode() not in square.read_bytes()
    assert b"Exif" not in square.read_bytes()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(make_picture()[:400], "damaged"), (b"\xff\xd8\xff" + b"x" * 5000, "damaged")],
)
def test_what_cannot_be_read_fails_with_a_reason(ada: User, content: bytes, reason: str) -> None:
    developed(ada, content)

    assert (ada.avatar_state, ada.avatar_reason) == ("failed", reason)
    assert "damaged" in ada.avatar_problem
    assert ada.avatar_url == ""


def test_too_many_pixels_fail_with_a_reason(ada: User, settings: Settings) -> None:
    settings.PHOTO_MAX_PIXELS = 1000

    assert developed(ada).avatar_reason == "too_many_pixels"


def test_the_old_one_is_shown_until_the_new_one_is_there(ada: User, media: Path) -> None:
    before = developed(ada).avatar_url

    change(ada)
    ada.refresh_from_db()
    assert (ada.avatar_state, ada.avatar_url) == ("queued", before)

    run_jobs()
    ada.refresh_from_db()
    assert ada.avatar_url != before
    assert len(files_of(media / "renditions")) == len(NAMES)
    assert files_of(media / "originals") == [ada.avatar_name]


def test_the_old_one_stays_when_the_new_one_fails(ada: User, media: Path) -> None:
    before = developed(ada).avatar_url

    developed(ada, make_picture()[:400])

    assert (ada.avatar_state, ada.avatar_url) == ("failed", before)
    assert len(files_of(media / "renditions")) == len(NAMES)


def test_done_twice_is_done_once(ada: User, media: Path) -> None:
    developed(ada)
    state = (ada.avatar_state, ada.avatar_renditions)
    files = files_of(media)

    tasks.make_avatar(person_id=ada.pk, original=ada.avatar_name)
    User.objects.update(avatar_state="developing")
    tasks.make_avatar(person_id=ada.pk, original=ada.avatar_name)

    ada.refresh_from_db()
    assert (ada.avatar_state, ada.avatar_renditions) == state
    assert files_of(media) == files


def test_a_job_of_an_avatar_that_was_replaced_changes_nothing(ada: User, media: Path) -> None:
    first = change(ada).avatar_name
    change(ada)

    tasks.make_avatar(person_id=ada.pk, original=first)

    ada.refresh_from_db()
    assert ada.avatar_state == "queued"
    assert files_of(media / "renditions") == []


def test_what_is_replaced_in_the_middle_leaves_no_files(
    ada: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The darkroom is at work when the person chooses another picture."""
    first = change(ada).avatar_name
    publish = thumbnails.publish

    def publish_late(*arguments: Any) -> dict[str, str]:
        User.objects.filter(pk=ada.pk).update(avatar_original="avatars/another")
        return dict(publish(*arguments))

    monkeypatch.setattr(thumbnails, "publish", publish_late)
    tasks.make_avatar(person_id=ada.pk, original=first)

    ada.refresh_from_db()
    assert ada.avatar_renditions == {}
    assert files_of(media / "renditions") == []


def test_a_lost_original_fails_and_a_deleted_person_is_no_error(ada: User, media: Path) -> None:
    (media / "originals" / change(ada).avatar_name).unlink()
    run_jobs()
    ada.refresh_from_db()
    assert ada.avatar_state == "failed"

    tasks.make_avatar(person_id=0, original="avatars/none")


def test_a_job_that_was_given_up_says_so(ada: User) -> None:
    change(ada)

    processing.give_up_avatar(Job.objects.get())

    ada.refresh_from_db()
    assert (ada.avatar_state, ada.avatar_reason) == ("failed", "interrupted")
    assert "try again" in ada.avatar_problem


def test_a_busy_machine_is_another_try(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    change(ada)

    def interrupted(*_: Any, **__: Any) -> Any:
        raise thumbnails.Refused(thumbnails.Reason.INTERRUPTED)

    monkeypatch.setattr(thumbnails, "develop", interrupted)
    with pytest.raises(messaging.Temporary):
        processing.develop_avatar(person_id=ada.pk, original=ada.avatar_name)

    ada.refresh_from_db()
    assert ada.avatar_state == "developing"


def test_an_avatar_can_be_taken_away(ada: User, media: Path) -> None:
    developed(ada)

    services.remove_avatar(person=ada)
    run_jobs()

    assert (ada.avatar_state, ada.avatar_url, ada.avatar_name) == ("none", "", "")
    assert files_of(media) == []


def test_nothing_is_stored_for_somebody_who_is_gone(ada: User, media: Path) -> None:
    gone = User(pk=ada.pk + 1)

    with pytest.raises(User.DoesNotExist):
        change(gone)

    assert files_of(media) == []


def test_originals_are_served_to_nobody(ada: User, client: Client) -> None:
    change(ada)

    for folder in ("", "renditions/", "originals/"):
        assert client.get(f"/media/{folder}{ada.avatar_name}").status_code == 404


class Elsewhere(Storage):
    """Files that have a name and no path, as in a bucket."""

    kept: ClassVar[dict[str, bytes]] = {}

    def exists(self, name: str) -> bool:
        return name in self.kept

    def delete(self, name: str) -> None:
        self.kept.pop(name, None)

    def _save(self, name: str, content: File[bytes]) -> str:
        self.kept[name] = content.read()
        return name

    def _open(self, name: str, mode: str = "rb") -> ContentFile[bytes]:
        return ContentFile(self.kept[name])


def test_a_storage_elsewhere_is_read_through_a_copy(ada: User, settings: Settings) -> None:
    elsewhere = {"BACKEND": f"{__name__}.Elsewhere"}
    settings.STORAGES = {**settings.STORAGES, "default": elsewhere}

    assert developed(ada).avatar_state == "ready"

    services.remove_avatar(person=ada)
    run_jobs()
    assert Elsewhere.kept == {}


@pytest.mark.django_db(transaction=True)
def test_a_new_avatar_is_seen_at_once(ada: User, nothing_is_stale: None) -> None:
    assert "<img" not in newest()

    developed(ada)
    assert "<img" in newest()

    services.remove_avatar(person=ada)
    assert "<img" not in newest()


class TestTheTag:
    def draw(self, person: User, size: str = "") -> str:
        source = f"{{% load accounts %}}{{% avatar person {size} %}}"
        return Template(source).render(Context({"person": person}))

    def test_initials_stand_for_who_has_none(self) -> None:
        html = self.draw(make_user("ada", display_name="Ada Lovelace"))

        assert ">AL</span>" in html
        assert "tint-" in html
        assert "style=" not in html

    def test_the_picture_fits_the_size(self, ada: User) -> None:
        developed(ada)

        assert ada.avatar_url in self.draw(ada)
        assert ada.avatar_url in self.draw(ada, '"tiny"')
        assert ada.large_avatar_url in self.draw(ada, '"large"')


class TestTheSettingsPage:
    @pytest.fixture
    def browser(self, client: Client, ada: User) -> Client:
        client.force_login(ada)
        return client

    def send(self, client: Client, **fields: Any) -> Any:
        return client.post("/accounts/settings/", {"display_name": "", "bio": "", **fields})

    def state(self, client: Client) -> Any:
        return client.get("/accounts/avatar/state/").json()

    def test_it_shows_the_way_of_an_avatar(self, browser: Client, ada: User) -> None:
        assert self.state(browser) == {"state": "none", "reason": "", "renditions": {}}

        self.send(browser, avatar=make_original())
        page = browser.get("/accounts/settings/").content.decode()
        assert 'data-state-url="/accounts/avatar/state/"' in page
        assert self.state(browser)["state"] == "queued"

        run_jobs()
        ada.refresh_from_db()
        assert self.state(browser) == {
            "state": "ready",
            "reason": "",
            "renditions": {"96.webp": ada.avatar_url},
        }
        assert "data-state-url" not in browser.get("/accounts/settings/").content.decode()

    def test_it_says_why_one_failed(self, browser: Client, ada: User) -> None:
        developed(ada, make_picture()[:400])

        assert "damaged" in browser.get("/accounts/settings/").content.decode()
        assert "damaged" in self.state(browser)["reason"]

    def test_it_takes_one_away(self, browser: Client, ada: User) -> None:
        assert "remove_avatar" not in browser.get("/accounts/settings/").context["form"].fields
        developed(ada)

        self.send(browser, remove_avatar="on")

        ada.refresh_from_db()
        assert ada.avatar_state == "none"

    def test_it_refuses_what_is_no_picture(self, browser: Client, ada: User) -> None:
        response = self.send(browser, avatar=SimpleUploadedFile("x.png", b"hello"))

        assert "avatar" in response.context["form"].errors
        ada.refresh_from_db()
        assert ada.avatar_state == "none"

    def test_only_one_file_is_taken(self, browser: Client, media: Path) -> None:
        self.send(browser, avatar=[make_original(), make_original()], other=make_original())

        assert len(files_of(media)) == 1
