"""Previews over the broker: a browser's question, a real image worker, real pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from apps import messaging
from apps.accounts.models import User
from apps.messaging import bell
from apps.messaging.replies import mailbox as mailboxes
from apps.messaging.replies.crowd import Crowd
from apps.photos import processing, services, tasks
from apps.photos.models import Photo
from devstack.programs import Worker
from tests.support import pictures
from tests.support.photos import make_original
from tests.support.pictures import BLUE, make_picture
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
StartImageWorker = Callable[..., Worker]


@pytest.fixture(params=["valkey", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def image_worker(request, use_broker, worker) -> Iterator[StartImageWorker]:
    """Start image workers as the site does, on each of the two brokers."""
    if request.param == "valkey":
        url = request.getfixturevalue("valkey_server").url(1)
    else:
        url = request.getfixturevalue("rabbitmq_server").url
    use_broker(url)
    mailboxes.close()
    yield partial(worker, "images,previews", pool="prefork", BROKER_URL=url)
    mailboxes.close()


@pytest.fixture(autouse=True)
def patient(settings, monkeypatch) -> None:
    """A busy machine is no reason to give up; and what waiting was like elsewhere is no guide."""
    settings.MESSAGING = {**settings.MESSAGING, "BROKER_SECONDS": 30}
    monkeypatch.setattr(tasks.preview, "timeout", 20.0)
    monkeypatch.setattr(tasks.preview, "crowd", Crowd(most=100))


@pytest.fixture
def client(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def photo(ada: User, image_worker: StartImageWorker) -> Photo:
    photo = upload(ada, make_picture(size=(1200, 800)))
    processing.develop(photo)
    photo.refresh_from_db()
    return photo


def upload(owner: User, content: bytes) -> Photo:
    return services.upload_photo(owner=owner, original=make_original(content=content))


def address(photo: Photo) -> str:
    return f"{photo.get_absolute_url()}edit/preview/"


def is_blue(colour: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 24 for a, b in zip(colour, BLUE, strict=True))


def test_the_owner_sees_what_would_come_of_the_picture(
    client: Client, photo: Photo, image_worker: StartImageWorker
) -> None:
    image_worker(concurrency=1)

    response = client.get(address(photo), {"turns": 1, "crop_width": 50})

    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "image/webp"
    assert "no-store" in response["Cache-Control"]
    assert pictures.read(response.content).size == (213, 640)
    assert is_blue(pictures.corners(response.content)["top left"])


def test_without_a_script_the_page_holds_the_preview(
    client: Client, photo: Photo, image_worker: StartImageWorker
) -> None:
    image_worker(concurrency=1)

    response = client.post(
        f"{photo.get_absolute_url()}edit/picture/", {"turns": 1, "preview": "1", "version": 0}
    )

    assert response.status_code == 200
    assert 'src="data:image/webp;base64,UklGR' in response.content.decode()
    photo.refresh_from_db()
    assert photo.wanted_edits is None


def test_an_original_that_is_lost_has_no_preview_and_a_reason(
    client: Client, photo: Photo, image_worker: StartImageWorker
) -> None:
    Path(photo.original.path).unlink()
    image_worker(concurrency=1)

    response = client.get(address(photo))

    assert response.status_code == 422
    assert response.json()["error"].startswith("The file you sent is lost.")


def test_edits_are_saved_made_and_shown(
    client: Client, photo: Photo, image_worker: StartImageWorker
) -> None:
    image_worker(concurrency=1)

    client.post(f"{photo.get_absolute_url()}edit/picture/", {"turns": 1, "version": 0})

    def is_made() -> bool:
        photo.refresh_from_db()
        return not photo.is_changing

    wait_until(is_made, seconds=30)
    assert (photo.edits, photo.width, photo.height) == ({"turns": 1}, 800, 1200)
    page = Client().get(photo.get_absolute_url()).content.decode()
    assert photo.renditions["640.webp"]["file"] in page


def test_a_preview_does_not_wait_behind_the_uploads(
    ada: User, photo: Photo, image_worker: StartImageWorker
) -> None:
    for number in range(40):
        upload(ada, make_picture(size=(1201 + number, 800)))
    image_worker(concurrency=1)

    picture = services.preview_picture(photo=photo, edits=photo.latest_edits, viewer=ada)

    assert pictures.read(picture).size == (640, 427)
    assert Photo.objects.filter(state="queued").count() > 10


def test_of_two_that_one_person_asks_for_the_earlier_is_dropped(
    ada: User, photo: Photo, image_worker: StartImageWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.preview, "timeout", 60.0)  # a worker has to start meanwhile
    told: list[str] = []

    def ask() -> None:
        try:
            services.preview_picture(photo=photo, edits=photo.latest_edits, viewer=ada)
            told.append("answered")
        except messaging.Superseded:
            told.append("superseded")
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        earlier = pool.submit(ask)
        wait_until(lambda: bell.depth("previews") == 1)
        pool.submit(ask)
        earlier.result()
        image_worker(concurrency=1)

    assert told == ["superseded", "answered"]


def test_of_a_hundred_asked_at_once_those_past_their_deadline_are_never_worked_on(
    ada: User, photo: Photo, image_worker: StartImageWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.preview, "timeout", 3.0)
    workers = [image_worker(concurrency=1), image_worker(concurrency=1)]

    def ask(person: int) -> bool:
        asking = tasks.preview.with_options(replaces=str(person))
        try:
            asking.ask(photo_id=str(photo.pk), edits={"turns": person % 4})
        except messaging.NotAnswered:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(100) as pool:
        answered = sum(pool.map(ask, range(100)))
    worked_in_time = worked(workers)
    wait_until(lambda: bell.depth("previews") == 0, seconds=30)
    monkeypatch.setattr(tasks.preview, "timeout", 20.0)
    assert ask(1000)

    # That was asked after all the others: whatever was to be worked on has been.
    assert 0 < answered < 100
    # What was in hand at the deadline came to its end; then the last.
    assert worked(workers) <= worked_in_time + len(workers) + 1


def worked(workers: list[Worker]) -> int:
    """How many previews were made so far, whether or not anybody still waited."""
    return sum(worker.log.read_text().count("photos.preview answered") for worker in workers)
