from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import reverse
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from apps.messaging import Job
from apps.messaging.batches.models import Producer
from tests.support import jobs
from tests.support.messaging import run_jobs

pytestmark = pytest.mark.django_db
LIST = "admin:messaging_job_changelist"


@pytest.fixture
def dead_job(trace):
    jobs.fail.delay(how="permanent")
    return run_jobs()[0]


def decide(client, action, *chosen):
    data = {"action": action, "_selected_action": [job.pk for job in chosen]}
    return client.post(reverse(LIST), data, follow=True)


def test_the_list_shows_what_died_and_why(admin_client, dead_job):
    page = admin_client.get(reverse(LIST), {"state__exact": "dead"}).content.decode()

    assert "jobs.fail" in page
    assert "the ship is sunk" in page


@pytest.mark.parametrize(
    ("words", "is_found"), [("permanent", True), ("ship", True), ("jobs.fail", True), ("x", False)]
)
def test_jobs_are_found_by_task_argument_and_error(admin_client, dead_job, words, is_found):
    page = admin_client.get(reverse(LIST), {"q": words}).content.decode()

    assert ("the ship is sunk" in page) is is_found


def test_a_dead_job_shows_its_arguments_and_traceback_and_changes_nothing(admin_client, dead_job):
    address = reverse("admin:messaging_job_change", args=[dead_job.pk])

    page = admin_client.get(address).content.decode()

    assert "&quot;how&quot;: &quot;permanent&quot;" in page
    assert "Traceback (most recent call last)" in page
    assert admin_client.post(address, {"state": "done"}).status_code == 403


def test_a_dead_job_is_tried_again_by_hand(admin_client, dead_job):
    page = decide(admin_client, "retry", dead_job)

    dead_job.refresh_from_db()
    assert dead_job.state == Job.State.QUEUED
    assert "1 job is tried again." in page.content.decode()


def test_a_dead_job_is_discarded_by_hand(admin_client, dead_job):
    page = decide(admin_client, "discard", dead_job)

    dead_job.refresh_from_db()
    assert dead_job.state == Job.State.DISCARDED
    assert "1 job was discarded." in page.content.decode()


def test_jobs_that_are_not_dead_are_left_alone(admin_client, trace):
    job = jobs.note.delay(text="hello")

    page = decide(admin_client, "discard", job)

    job.refresh_from_db()
    assert job.state == Job.State.QUEUED
    assert "Jobs that are not dead were left alone." in page.content.decode()


def test_staff_without_the_permission_have_no_such_actions(client, dead_job, django_user_model):
    person = django_user_model.objects.create_user("cyd", "cyd@example.test", is_staff=True)
    from django.contrib.auth.models import Permission

    person.user_permissions.add(Permission.objects.get(codename="view_job"))
    client.force_login(person)

    decide(client, "retry", dead_job)

    dead_job.refresh_from_db()
    assert dead_job.state == Job.State.DEAD


def test_a_producer_of_events_shows_what_was_folded_and_what_it_lost(admin_client):
    producer = Producer.objects.create(
        id=uuid4(),
        name="web@harbour 17",
        folded=Multirange([Range(1, 8), Range(9, 31)]),
        dropped=42,
    )
    Producer.objects.create(id=uuid4(), name="web@hill 4")

    rows = admin_client.get(reverse("admin:messaging_producer_changelist")).content.decode()
    address = reverse("admin:messaging_producer_change", args=[producer.pk])
    row = admin_client.get(address).content.decode()

    cells = [
        'field-messages_folded">29<',
        'field-messages_missing">1<',
        'field-dropped">42<',
        'field-messages_folded">0<',
        'field-messages_missing">0<',
    ]
    assert [cell for cell in cells if cell not in rows] == []
    assert "web@harbour 17" in row
    assert admin_client.post(address, {"dropped": 0}).status_code == 403
