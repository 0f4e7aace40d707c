"""Dead jobs by cause: found together, tried again without a storm, discarded on request."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from apps.messaging import Job, bell, dead, ledger, runner
from apps.messaging.culprits import culprit_of
from tests.support import jobs
from tests.support.messaging import run_jobs

pytestmark = pytest.mark.django_db
PAGE = "admin:messaging_job_dead"


@pytest.fixture
def two_causes(trace):
    """Three jobs that sank, and one that was out of tries."""
    for _ in range(3):
        jobs.fail.delay(how="permanent")
    late = jobs.fail.delay(how="temporary")
    Job.objects.filter(pk=late.pk).update(tried_since=Now() - timedelta(seconds=995))
    run_jobs()


@pytest.fixture
def rung(monkeypatch):
    """The jobs for which a bell went out."""
    told: list[int] = []
    monkeypatch.setattr(bell, "announce", lambda job: told.append(job.pk))
    return told


def test_jobs_that_failed_alike_are_one_group(two_causes):
    large, small = dead.groups()

    assert (large.count, large.task, large.queue) == (3, "jobs.fail", "default")
    assert large.culprit == "Permanent in tests.support.jobs.fail"
    assert large.error == "the ship is sunk"
    assert large.first <= large.last
    assert (small.count, small.error) == (1, "Out of tries: the sea is rough")
    assert large.fingerprint != small.fingerprint


def test_the_place_of_a_failure_is_the_innermost_of_our_own_functions():
    with pytest.raises(ValueError, match="Expecting value") as caught:
        json.loads("no JSON")

    culprit = culprit_of(caught.value)

    assert culprit.what == "JSONDecodeError"
    assert culprit.where.endswith(
        "test_the_place_of_a_failure_is_the_innermost_of_our_own_functions"
    )


def test_what_differs_from_job_to_job_does_not_split_a_group():
    first, second = (culprit_of(ValueError(f"photo {number}")) for number in range(2))

    assert first.fingerprint("a.task") == second.fingerprint("a.task")
    assert first.fingerprint("a.task") != first.fingerprint("b.task")


@pytest.mark.parametrize(
    ("choice", "count"),
    [
        (dead.Choice(), 4),
        (dead.Choice(task="jobs.fail"), 4),
        (dead.Choice(task="jobs.note"), 0),
        (dead.Choice(queue="images"), 0),
        (dead.Choice(older=timedelta(hours=1)), 0),
        (dead.Choice(group=""), 0),
    ],
)
def test_jobs_are_chosen_by_what_they_have_in_common(two_causes, choice, count):
    assert choice.jobs().count() == count


def test_a_group_and_an_age_choose_what_is_both(two_causes):
    large, _ = dead.groups()
    oldest = Job.objects.dead().order_by("pk").first()
    assert oldest is not None
    Job.objects.filter(pk=oldest.pk).update(finished_at=Now() - timedelta(days=2))

    choice = dead.Choice(group=large.fingerprint, older=timedelta(days=1))

    assert list(choice.jobs()) == [oldest]


def test_a_few_are_tried_again_at_once(two_causes, rung, django_capture_on_commit_callbacks):
    ids = list(Job.objects.dead().values_list("pk", flat=True))

    with django_capture_on_commit_callbacks(execute=True):
        assert dead.retry(ids) == 4

    assert sorted(rung) == sorted(ids)
    assert Job.objects.rung().count() == 4


def test_many_are_spread_in_time_and_rung_for_when_they_are_due(
    settings, two_causes, rung, django_capture_on_commit_callbacks
):
    settings.MESSAGING = {**settings.MESSAGING, "RETRIES_PER_SECOND": 0.01}

    with django_capture_on_commit_callbacks(execute=True):
        dead.retry(Job.objects.dead().values_list("pk", flat=True))

    waits = [(job.due_at - timezone.now()).total_seconds() for job in Job.objects.all()]
    assert rung == []
    assert all(-5 < wait < 400 for wait in waits)
    assert len(set(waits)) == 4
    assert Job.objects.filter(rung_at=None).count() == 4
    # The last of them has all its tries before it, too.
    assert all(job.tried_since >= job.due_at for job in Job.objects.all())


def test_a_group_that_fails_again_for_good_is_dead_at_once(two_causes):
    large, _ = dead.groups()
    dead.retry(dead.Choice(group=large.fingerprint).jobs().values_list("pk", flat=True), spread=0)

    run_jobs()

    again = Job.objects.dead().filter(fingerprint=large.fingerprint)
    assert list(again.values_list("attempt", flat=True)) == [2, 2, 2]


def test_poison_that_is_tried_again_has_one_try_and_not_three():
    job = jobs.note.delay(text="x")
    Job.objects.update(state="dead", deaths=3, finished_at=Now())
    dead.retry([job.pk])
    assert ledger.claim(job.pk, owner="me")
    Job.objects.update(lease_until=Now() - timedelta(seconds=1))
    ledger.release()

    runner.run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.culprit) == (Job.State.DEAD, "Poison")


# --- The page ------------------------------------------------------------------------------------
def decide(client, decision, **fields):
    return client.post(reverse(PAGE), {"decision": decision, **fields}, follow=True)


def test_the_page_has_a_row_for_each_cause(admin_client, two_causes):
    page = admin_client.get(reverse(PAGE)).content.decode()

    assert "4 dead jobs" in page
    assert "Permanent in tests.support.jobs.fail" in page
    assert "Try 3 again" in page
    assert "Discard 1 for good" in page


def test_the_list_of_jobs_leads_to_the_page(admin_client, two_causes):
    page = admin_client.get(reverse("admin:messaging_job_changelist")).content.decode()

    assert reverse(PAGE) in page


def test_a_group_is_tried_again_with_one_button(admin_client, two_causes):
    large, _ = dead.groups()

    page = decide(admin_client, "retry", group=large.fingerprint).content.decode()

    assert "3 jobs are tried again." in page
    assert Job.objects.dead().count() == 1


def test_all_that_are_shown_are_discarded_with_one_button(admin_client, two_causes):
    page = decide(admin_client, "discard", task="jobs.fail", queue="default").content.decode()

    assert "4 jobs were discarded." in page
    assert "No job is dead." in page


def test_what_a_filter_leaves_out_is_not_decided_on(admin_client, two_causes):
    page = decide(admin_client, "discard", queue="images").content.decode()

    assert "0 jobs were discarded." in page
    assert Job.objects.dead().count() == 4


def test_a_filter_shows_what_it_says(admin_client, two_causes):
    page = admin_client.get(reverse(PAGE), {"task": "jobs.note"}).content.decode()

    assert "No job is dead." in page


def test_what_is_no_decision_is_refused(admin_client, two_causes):
    assert decide(admin_client, "burn").status_code == 400
    assert Job.objects.dead().count() == 4


@pytest.mark.parametrize(("permission", "code"), [("view_job", 200), ("view_queue", 403)])
def test_staff_see_the_page_with_the_permission_only(
    client, two_causes, django_user_model, permission, code
):
    from django.contrib.auth.models import Permission

    person = django_user_model.objects.create_user("cyd", "cyd@example.test", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename=permission))
    client.force_login(person)

    page = client.get(reverse(PAGE))

    assert page.status_code == code
    assert "Try 3 again" not in page.content.decode()
    assert decide(client, "retry").status_code == 403
    assert Job.objects.dead().count() == 4


def test_strangers_are_sent_to_log_in(client):
    assert client.get(reverse(PAGE)).status_code == 302
