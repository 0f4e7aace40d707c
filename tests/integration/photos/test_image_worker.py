"""From the upload to the picture: a browser's requests, a real broker, real image workers."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from PIL import Image

from apps.messaging import Job
from apps.photos import services
from apps.photos.models import Photo
from devstack.programs import Worker
from tests.support.accounts import make_user
from tests.support.photos import files_of, make_original
from tests.support.pictures import CAMERA, make_picture
from tests.support.servers import StartWorker
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def client(client: Client) -> Client:
    client.force_login(make_user("ada"))
    return client


def impatient(worker: StartWorker) -> Worker:
    """A worker that soon notices that another died, so that tests need not wait as people may."""
    return worker(
        "images",
        pool="prefork",
        concurrency=1,
        JOB_LEASE_SECONDS="2",
        JOB_SWEEP_SECONDS="0.5",
        JOB_RING_AGAIN_SECONDS="1",
    )


def renditions() -> Path:
    return Path(settings.MEDIA_ROOT) / "renditions"


def upload(client: Client, content: bytes, name: str = "harbour.jpg") -> dict[str, str]:
    response = client.post(
        "/photos/upload/",
        {"originals": make_original(name, content=content)},
        headers={"Accept": "application/json"},
    )
    assert response.status_code == 202, response.content
    (photo,) = response.json()["photos"]
    return dict(photo)


def end_of(photo: Photo, *, seconds: float = 30) -> str:
    """Wait until a photo changes no more, and return its state."""

    def ended() -> str:
        photo.refresh_from_db()
        return "" if photo.is_unfinished else photo.state

    return wait_until(ended, seconds=seconds, what=f"{photo} in its last state")


def large() -> bytes:
    """A picture that keeps a worker busy long enough to be hit while at it."""
    noise = Image.effect_noise((1000, 750), 60).resize((4000, 3000)).convert("RGB")
    return make_picture(image=noise, quality=90)


def slow_to_decode() -> bytes:
    """Honest, but several seconds of work: a hundred million pixels of noise in many passes."""
    tile, image = Image.effect_noise((1000, 1000), 60), Image.new("L", (10_000, 10_000))
    for x in range(0, 10_000, 1000):
        for y in range(0, 10_000, 1000):
            image.paste(tile, (x, y))
    return make_picture(image=image, quality=40, progressive=True)


def set_of(photo: Photo) -> list[str]:
    return sorted(stored["file"] for stored in photo.renditions.values())


def files_about(photo: Photo) -> list[str]:
    folder = next(iter(set_of(photo))).rpartition("/")[0]
    return [f"{folder}/{name}" for name in files_of(renditions() / folder)]


def assert_whole(folder: Path) -> None:
    """Every file that can be seen is a picture down to its last byte."""
    for name in files_of(folder):
        if not Path(name).name.startswith("."):
            Image.open(io.BytesIO((folder / name).read_bytes())).load()


# --- The way of one photo -------------------------------------------------------------------------
def test_an_upload_develops_and_is_shown_to_everybody(client: Client, worker: StartWorker) -> None:
    worker("images", pool="prefork", concurrency=1)
    content = make_picture(size=(1600, 1200), camera=CAMERA, gps=True)

    taken = upload(client, content)
    state = wait_until(
        lambda: (answer := client.get(taken["state_url"]).json())["state"] == "ready" and answer,
        seconds=30,
    )

    assert len(state["renditions"]) == 10
    visitor = Client()
    for address in state["renditions"].values():
        picture = visitor.get(address)
        assert picture["Cache-Control"] == "public, max-age=31536000, immutable"
        Image.open(io.BytesIO(b"".join(picture))).load()
    page = visitor.get(taken["url"]).content.decode()
    assert state["renditions"]["1280.webp"] in page
    assert "LEICA Q2" in page
    assert taken["url"] in visitor.get("/").content.decode()


def test_first_light_comes_before_the_rest(client: Client, worker: StartWorker) -> None:
    worker("images", pool="prefork", concurrency=1)

    taken = upload(client, large())
    seen = wait_until(
        lambda: (answer := client.get(taken["state_url"]).json())["renditions"] and answer,
        seconds=30,
    )

    assert (seen["state"], len(seen["renditions"])) == ("developing", 6)
    assert end_of(Photo.objects.get()) == "ready"


# --- Workers that die, and workers that meet ------------------------------------------------------
@pytest.mark.parametrize("moment", ["developing", "first light"])
def test_a_worker_killed_in_the_middle_loses_nothing_and_leaves_no_half_file(
    client: Client, worker: StartWorker, moment: str
) -> None:
    ben = impatient(worker)
    upload(client, large())
    photo = Photo.objects.get()

    def reached() -> bool:
        photo.refresh_from_db()
        return photo.state == "developing" and (moment == "developing" or bool(photo.renditions))

    wait_until(reached, seconds=30)
    ben.kill()

    photo.refresh_from_db()
    assert photo.state == "developing"
    assert_whole(renditions())
    impatient(worker)
    assert end_of(photo) == "ready"
    assert files_about(photo) == set_of(photo)
    assert_whole(renditions())
    assert Job.objects.get(task="photos.make_renditions").attempt == 2


def test_two_workers_on_one_photo_make_one_set(client: Client, worker: StartWorker) -> None:
    upload(client, large())
    photo = Photo.objects.get()
    services.develop_again(photo=photo)
    assert Job.objects.filter(state=Job.State.QUEUED).count() == 2

    impatient(worker)
    impatient(worker)

    assert end_of(photo) == "ready"
    wait_until(lambda: not Job.objects.exclude(state=Job.State.DONE).exists(), seconds=30)
    photo.refresh_from_db()
    assert photo.state == "ready"
    assert files_about(photo) == set_of(photo)


# --- Bad pictures ---------------------------------------------------------------------------------
def test_bad_pictures_fail_each_for_its_reason_and_the_next_is_not_delayed(
    client: Client, worker: StartWorker
) -> None:
    bad = {
        "lies.jpg": (b"\xff\xd8\xff\xe0" + b"lies" * 5000, "damaged"),
        "zeros.png": (b"\x89PNG\r\n\x1a\n" + b"\0" * 5000, "damaged"),
        "bomb.png": (make_picture("png", size=(3000, 3000), mode="L"), "too_many_pixels"),
    }
    for name, (content, _) in bad.items():
        upload(client, content, name)
    upload(client, make_picture(), "good.jpg")

    worker("images", pool="prefork", concurrency=1, PHOTO_MAX_PIXELS="4000000")

    good = Photo.objects.get(original_name="good.jpg")
    assert end_of(good) == "ready"
    reasons = dict(Photo.objects.exclude(pk=good.pk).values_list("original_name", "reason"))
    assert reasons == {name: reason for name, (_, reason) in bad.items()}


def test_a_picture_slower_than_its_time_does_not_hold_up_the_next(
    client: Client, worker: StartWorker
) -> None:
    upload(client, slow_to_decode(), "slow.jpg")
    upload(client, make_picture(size=(64, 48)), "quick.jpg")
    slow, quick = (Photo.objects.get(original_name=name) for name in ("slow.jpg", "quick.jpg"))

    worker(
        "images",
        pool="prefork",
        concurrency=1,
        PHOTO_MAX_SECONDS="1",
        PHOTO_MAX_PIXELS="200000000",
    )

    assert end_of(quick) == "ready"
    slow.refresh_from_db()
    # On a machine too busy to give it its second it is tried again later, not blamed.
    assert (slow.state, slow.reason) in {("failed", "too_slow"), ("developing", "")}


# --- Deletion -------------------------------------------------------------------------------------
def test_the_files_of_a_deleted_photo_go_too(client: Client, worker: StartWorker) -> None:
    worker("images,default", pool="prefork", concurrency=1)
    taken = upload(client, make_picture(size=(300, 200)))
    photo = Photo.objects.get()
    assert end_of(photo) == "ready"
    original, folder = Path(photo.original.path), renditions() / Path(set_of(photo)[0]).parent
    assert original.exists()

    client.post(f"{taken['url']}delete/")

    wait_until(lambda: not original.exists() and not folder.exists(), seconds=20)
