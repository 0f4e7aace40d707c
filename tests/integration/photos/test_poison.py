"""A photo that ends whichever worker takes it, beside photos that are as they should be."""

from __future__ import annotations

import os
import signal

import pytest
from PIL import Image

from apps.messaging import Job
from apps.photos import services
from apps.photos.models import Photo
from tests.support.accounts import make_user
from tests.support.photos import make_original
from tests.support.pictures import make_picture
from tests.support.servers import StartWorker
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
OTHERS = 4


def upload(content: bytes) -> Photo:
    return services.upload_photo(owner=make_user(), original=make_original(content=content))


def end_worker_of(job: Job, number: signal.Signals, *, attempt: int) -> None:
    """As the kernel does it to the very process that works on the job."""

    def has_begun() -> bool:
        job.refresh_from_db()
        return (job.state, job.attempt) == (Job.State.RUNNING, attempt)

    wait_until(has_begun, what=f"try {attempt}")
    pid = int(job.owner.rpartition(" ")[2].partition("/")[0])
    os.kill(pid, number)


@pytest.mark.parametrize(
    "number", [signal.SIGSEGV, signal.SIGKILL], ids=["a crash in C", "out of memory"]
)
def test_a_poison_photo_is_given_up_after_its_tries_while_others_flow(
    worker: StartWorker, number: signal.Signals
) -> None:
    noise = Image.effect_noise((1000, 750), 60).resize((4000, 3000)).convert("RGB")
    poison = upload(make_picture(image=noise, quality=90))
    others = [upload(make_picture(size=(80, 60 + more))) for more in range(OTHERS)]
    job = Job.objects.get(about=f"photo:{poison.pk}")

    worker(
        "images",
        pool="prefork",
        concurrency=1,
        JOB_LEASE_SECONDS="2",
        JOB_SWEEP_SECONDS="0.2",
        JOB_RING_AGAIN_SECONDS="1",
    )
    for attempt in (1, 2, 3):
        end_worker_of(job, number, attempt=attempt)
    wait_until(lambda: Job.objects.dead().exists(), what="the end of the poison")
    ready = Photo.objects.filter(state="ready")
    wait_until(lambda: ready.count() == OTHERS, what="the other photos")

    job.refresh_from_db()
    poison.refresh_from_db()
    assert (job.state, job.deaths) == ("dead", 3)
    assert job.error.startswith("Poison")
    assert poison.state == "failed"
    assert {photo.pk for photo in ready} == {photo.pk for photo in others}
