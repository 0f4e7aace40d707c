"""From the sign-up to the first log-in: a browser's requests, a real broker, real workers."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from apps.accounts.models import User
from apps.mail.models import Letter
from devstack.programs import Worker
from tests.support.accounts import PASSWORD, link_in, log_in, make_user
from tests.support.photos import files_of, make_original
from tests.support.servers import StartWorker
from tests.support.smtp import ScriptedSMTP
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
ADDRESS = "ada@example.org"


def sign_up(client: Client) -> User:
    fields = {"username": "ada", "email": ADDRESS, "password1": PASSWORD, "password2": PASSWORD}
    response = client.post("/accounts/signup/", {**fields, "avatar": make_original()})
    assert response.status_code == 302
    return User.objects.get(username="ada")


def impatient(worker: StartWorker, queues: str, *, pool: str) -> Worker:
    """A worker that soon notices that another died, so that tests need not wait as people may."""
    return worker(
        queues,
        pool=pool,
        concurrency=1,
        JOB_LEASE_SECONDS="2",
        JOB_SWEEP_SECONDS="0.5",
        JOB_RING_AGAIN_SECONDS="1",
    )


def test_the_letter_and_the_avatar_come_from_workers(
    client: Client, smtp_server: ScriptedSMTP, worker: StartWorker
) -> None:
    person = sign_up(client)
    assert smtp_server.tried == []
    assert Letter.objects.get().state == "queued"

    worker("mail", pool="threads", EMAIL_URL=smtp_server.url)
    worker("images", pool="prefork")
    (accepted,) = wait_until(lambda: smtp_server.to(ADDRESS), what="the letter")
    client.post(link_in(Letter.objects.get()))

    def is_developed() -> bool:
        person.refresh_from_db()
        return person.avatar_state == "ready"

    wait_until(is_developed, what="the avatar")
    assert person.is_confirmed
    assert "Confirm your address" in str(accepted.message["Subject"])
    picture = client.get(person.avatar_url)
    assert picture.status_code == 200
    picture.close()


def test_a_letter_that_was_asked_for_comes_from_workers(
    smtp_server: ScriptedSMTP, worker: StartWorker, client: Client
) -> None:
    make_user("ada")

    client.post("/accounts/password/reset/", {"email": ADDRESS})
    worker("default,mail", pool="threads", EMAIL_URL=smtp_server.url)

    (accepted,) = wait_until(lambda: smtp_server.to(ADDRESS), what="the letter")
    body = accepted.message.get_body(("plain",))
    assert body is not None
    assert "/accounts/password/reset/key/" in body.get_content()
    assert log_in(client)["Location"] == "/"


def test_a_killed_worker_leaves_an_avatar_to_the_next(client: Client, worker: StartWorker) -> None:
    person = sign_up(client)
    first = impatient(worker, "images", pool="prefork")

    def state() -> str:
        person.refresh_from_db()
        return person.avatar_state

    wait_until(lambda: state() != "queued", what="a worker that took the avatar")
    first.kill()
    impatient(worker, "images", pool="prefork")

    wait_until(lambda: state() == "ready", seconds=30, what="the avatar")
    folder = Path(settings.MEDIA_ROOT) / "renditions" / person.avatar_key
    assert files_of(folder) == ["320.jpg", "320.webp", "96.jpg", "96.webp"]
