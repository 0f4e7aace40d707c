"""The id of a request goes with all that it starts."""

from __future__ import annotations

import logging

import pytest

from apps import messaging
from apps.messaging import Job
from apps.operations.middleware import RequestIdFilter
from tests.support import jobs
from tests.support.messaging import run_jobs

pytestmark = pytest.mark.django_db


@messaging.job()
def start_another() -> None:
    logging.getLogger("tests").info("in the middle of it")
    jobs.note.delay(text=messaging.request_id())


@pytest.fixture
def lines(caplog):
    """The request id and the text of each line of the log, as the site writes them."""
    caplog.set_level("INFO")
    caplog.handler.addFilter(RequestIdFilter())

    def read():
        return [(vars(record)["request_id"], record.getMessage()) for record in caplog.records]

    return read


def test_a_page_s_name_is_in_the_row_of_its_job(client):
    with messaging.named("req-12345"):
        job = jobs.note.delay(text="hello")

    assert Job.objects.get(pk=job.pk).request_id == "req-12345"


def test_a_job_that_no_request_started_has_none():
    assert jobs.note.delay(text="hello").request_id == ""


def test_every_line_of_a_job_carries_the_name_and_so_do_the_jobs_that_it_starts(lines, trace):
    with messaging.named("req-12345"):
        start_another.delay()

    run_jobs()

    said = lines()
    assert ("req-12345", "in the middle of it") in said
    assert {name for name, line in said if " done " in line} == {"req-12345"}
    assert len([line for _, line in said if " done " in line]) == 2
    assert trace == ["req-12345"]
    assert messaging.request_id() == "-"


def test_the_lines_of_a_job_without_a_request_are_found_by_its_own_number(lines, trace):
    job = start_another.delay()

    run_jobs()

    assert (f"job-{job.pk}", "in the middle of it") in lines()


def test_the_line_that_says_that_a_job_died_has_the_name_too(lines, trace):
    with messaging.named("req-12345"):
        jobs.fail.delay(how="permanent")

    run_jobs()

    assert [name for name, line in lines() if "is dead" in line] == ["req-12345"]


def test_a_name_inside_a_name_gives_way_to_the_outer_again():
    with messaging.named("outer"):
        with messaging.named("inner"):
            assert messaging.request_id() == "inner"
        assert messaging.request_id() == "outer"
