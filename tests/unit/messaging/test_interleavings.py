"""Workers in any order: whatever they do, and whenever they die, a job ends once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.messaging import Job, dead, ledger
from tests.support import jobs

pytestmark = pytest.mark.django_db

OUTCOMES = ["finish", "postpone", "bury"]
MOVES = st.one_of(
    st.tuples(st.sampled_from(["claim", "extend", *OUTCOMES]), st.integers(0, 2)),
    st.tuples(st.sampled_from(["lease runs out", "becomes due", "staff retries"]), st.just(0)),
)


class World:
    """One job, three workers that each believe what they last read, and a moving clock."""

    def __init__(self) -> None:
        self.job_id = jobs.note.delay(text="hello").pk
        self.held: list[Job | None] = [None, None, None]
        self.ended: list[str] = []

    @property
    def row(self) -> Job:
        return Job.objects.get(pk=self.job_id)

    def move(self, name: str, worker: int) -> None:
        rows = Job.objects.filter(pk=self.job_id)
        if name == "lease runs out":
            rows.filter(state="running").update(lease_until=Now() - timedelta(seconds=1))
        elif name == "becomes due":
            rows.update(due_at=Now())
        elif name == "staff retries":
            if dead.retry([self.job_id]):
                self.ended.clear()
        elif name == "claim":
            self.claim(worker)
        elif held := self.held[worker]:
            self.act(name, held)

    def claim(self, worker: int) -> None:
        before = self.row
        claimed = ledger.claim(self.job_id, owner=f"worker {worker}")
        if claimed is not None:
            assert before.state in {"queued", "running"}
            assert claimed.attempt == before.attempt + 1
            self.held[worker] = claimed

    def act(self, name: str, held: Job) -> None:
        before = self.row
        is_his = before.state == "running" and before.attempt == held.attempt
        did = {
            "extend": lambda: ledger.extend([(held.pk, held.attempt)]) == 1,
            "finish": lambda: ledger.finish(held),
            "postpone": lambda: ledger.postpone(held, ledger.Failure(error="later"), wait=9),
            "bury": lambda: ledger.bury(held, ledger.Failure(error="never")),
        }[name]()
        assert did is is_his
        if did and name in {"finish", "bury"}:
            self.ended.append(name)

    def check(self) -> None:
        row = self.row
        holders = [
            held.attempt for held in self.held if held is not None and held.attempt == row.attempt
        ]
        assert len(self.ended) <= 1
        assert len(holders) <= 1, "two workers hold the same attempt"
        assert (row.state in {"done", "dead"}) == bool(self.ended)
        assert (row.lease_until is not None) == (row.state == "running")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=st.lists(MOVES, max_size=30))
def test_whatever_workers_do_a_job_has_one_owner_and_one_end(db, moves):
    with transaction.atomic():
        world = World()
        for name, worker in moves:
            world.move(name, worker)
            world.check()
        transaction.set_rollback(True)


def test_a_claim_is_one_statement(django_assert_num_queries):
    job = jobs.note.delay(text="hello")

    with django_assert_num_queries(1):
        ledger.claim(job.pk, owner="me")


def test_to_start_a_job_is_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        jobs.note.delay(text="hello")


def test_the_questions_of_the_sweeper_use_an_index():
    Job.objects.bulk_create(
        Job(task="jobs.note", queue="default", state="done") for _ in range(2000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_job")

    for jobs_asked_for, indexes in [
        (Job.objects.claimable(), ("rung", "unrung", "running")),
        (Job.objects.unrung(), ("unrung",)),
        (Job.objects.rung(), ("rung",)),
        (Job.objects.lapsed(), ("running",)),
        (Job.objects.dead().filter(fingerprint="x"), ("dead",)),
        (Job.objects.filter(about="this"), ("about",)),
    ]:
        plan = jobs_asked_for.values("queue").distinct().explain()
        assert all(f"messaging_job_{index}" in plan for index in indexes), plan
        assert "Seq Scan" not in plan


def test_a_claim_reads_one_entry_of_one_index():
    Job.objects.bulk_create(Job(task="jobs.note", queue="default") for _ in range(2000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_job")
        cursor.execute(
            f"EXPLAIN (ANALYZE, FORMAT TEXT) {ledger.CLAIM_NEXT}",
            {"owner": "me", "lease": "30 s", "queue": "default"},
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "messaging_job_rung" in plan
    assert "Sort" not in plan
    assert "Seq Scan on messaging_job" not in plan
