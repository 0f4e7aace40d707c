from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.messaging.batches.models import Producer
from apps.messaging.priority import Priority

__all__ = ["Job", "Producer", "Queue", "QueueSample", "Schedule", "Worker"]


class JobQuerySet(models.QuerySet["Job"]):
    def rung(self) -> Self:
        """Due, and a bell was sent for it: what a worker that hears a bell may take."""
        return self.filter(state=Job.State.QUEUED, rung_at__isnull=False, due_at__lte=Now())

    def unrung(self) -> Self:
        """Due, and nobody was told yet."""
        return self.filter(state=Job.State.QUEUED, rung_at__isnull=True, due_at__lte=Now())

    def lapsed(self) -> Self:
        """Left behind by a worker whose lease ran out (by the database's clock)."""
        return self.filter(state=Job.State.RUNNING, lease_until__lt=Now())

    def claimable(self) -> Self:
        """Due, or left behind."""
        # Three arms rather than two, as each is what one partial index holds.
        return self.filter(
            Q(state=Job.State.QUEUED, rung_at__isnull=False, due_at__lte=Now())
            | Q(state=Job.State.QUEUED, rung_at__isnull=True, due_at__lte=Now())
            | Q(state=Job.State.RUNNING, lease_until__lt=Now())
        )

    def waiting(self) -> Self:
        """Due, or due later."""
        return self.filter(
            Q(state=Job.State.QUEUED, rung_at__isnull=False)
            | Q(state=Job.State.QUEUED, rung_at__isnull=True)
        )

    def running(self) -> Self:
        """In the hands of a worker, or of one that was killed a moment ago."""
        return self.filter(state=Job.State.RUNNING)

    def dead(self) -> Self:
        return self.filter(state=Job.State.DEAD)


class Job(models.Model):
    """One launch of a task. The row is the truth; messages on the broker only point at it."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        DEAD = "dead", _("dead")
        DISCARDED = "discarded", _("discarded")

    PRIORITIES = [
        (Priority.URGENT.value, _("urgent")),
        (Priority.NORMAL.value, _("normal")),
        (Priority.BULK.value, _("bulk")),
    ]

    task = models.CharField(_("task"), max_length=200)
    arguments = models.JSONField(_("arguments"), default=dict)
    queue = models.CharField(_("queue"), max_length=50)
    priority = models.SmallIntegerField(
        _("priority"), choices=PRIORITIES, default=Priority.NORMAL.value, db_default=5
    )
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.QUEUED, db_default="queued"
    )
    time_limit = models.PositiveIntegerField(_("time limit in seconds"), null=True, blank=True)
    about = models.CharField(_("about"), max_length=100, blank=True, default="", db_default="")
    request_id = models.CharField(
        _("request"), max_length=64, blank=True, default="", db_default=""
    )

    # The fence: every outcome is written on the condition that this number has not moved on.
    attempt = models.PositiveIntegerField(_("attempt"), default=0)
    failures = models.PositiveIntegerField(_("failures"), default=0)
    deaths = models.PositiveIntegerField(_("deaths in a row"), default=0)
    owner = models.CharField(_("worker"), max_length=200, blank=True)
    error = models.TextField(_("last error"), blank=True)
    traceback = models.TextField(_("traceback"), blank=True)
    # What went wrong, as a short key that jobs which failed alike share, and in words.
    fingerprint = models.CharField(_("group"), max_length=12, blank=True, default="", db_default="")
    culprit = models.CharField(_("culprit"), max_length=200, blank=True, default="", db_default="")
    # One entry an attempt that did not go well at once: see ledger.py.
    history = models.JSONField(
        _("history"), default=list, db_default=Value([], models.JSONField()), blank=True
    )

    created_at = models.DateTimeField(_("created"), db_default=Now())
    tried_since = models.DateTimeField(_("tried since"), db_default=Now())
    due_at = models.DateTimeField(_("due"), db_default=Now())
    # The invariant of the bells: a due row with rung_at has a message on the broker, or had one.
    rung_at = models.DateTimeField(_("bell rung"), db_default=Now(), null=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    lease_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [
            # In the order in which workers take them: the first entry is the answer to a claim.
            models.Index(
                "queue",
                "priority",
                "due_at",
                condition=Q(state="queued", rung_at__isnull=False),
                name="messaging_job_rung",
            ),
            models.Index(
                "queue",
                "due_at",
                condition=Q(state="queued", rung_at__isnull=True),
                name="messaging_job_unrung",
            ),
            models.Index(
                fields=["lease_until"], condition=Q(state="running"), name="messaging_job_running"
            ),
            models.Index(
                fields=["finished_at"],
                condition=Q(state__in=["done", "dead", "discarded"]),
                name="messaging_job_finished",
            ),
            models.Index(
                fields=["fingerprint"], condition=Q(state="dead"), name="messaging_job_dead"
            ),
            models.Index(fields=["about"], condition=~Q(about=""), name="messaging_job_about"),
        ]
        constraints = [
            models.CheckConstraint(
                name="messaging_job_lease",
                condition=~Q(state="running") | Q(lease_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.pk}"


class Queue(models.Model):
    """Whether a queue is paused. Workers enter those that they serve; one without a row is open."""

    name = models.CharField(_("name"), max_length=50, primary_key=True)
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True)
    paused_by = models.CharField(_("by"), max_length=150, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")

    def __str__(self) -> str:
        return self.name


class Worker(models.Model):
    """A worker process that was seen: it writes this row itself, every few seconds."""

    name = models.CharField(_("name"), max_length=150)
    host = models.CharField(_("host"), max_length=100)
    pid = models.PositiveIntegerField(_("process"))
    queues = models.JSONField(_("queues"), default=list)
    pool = models.CharField(_("pool"), max_length=20)
    concurrency = models.PositiveIntegerField(_("concurrency"))
    release = models.CharField(_("release"), max_length=50, blank=True)
    running = models.JSONField(_("running jobs"), default=list)
    started_at = models.DateTimeField(_("started"), db_default=Now())
    beat_at = models.DateTimeField(_("last seen"), db_default=Now())
    stopped_at = models.DateTimeField(_("stopped"), null=True, blank=True)

    # Alive, lost or stopped, where presence.workers() asked for it.
    condition: str

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        constraints = [
            # A worker that starts again under its name and number (a container) is the same one.
            models.UniqueConstraint(fields=["name", "pid"], name="messaging_worker_once"),
        ]

    def __str__(self) -> str:
        return self.name


class QueueSample(models.Model):
    """How a queue was doing at one moment, and what it did in the interval before."""

    queue = models.CharField(_("queue"), max_length=50)
    taken_at = models.DateTimeField(_("taken"))
    seconds = models.FloatField(_("interval in seconds"))
    due = models.PositiveIntegerField(_("due"))
    later = models.PositiveIntegerField(_("due later"))
    running = models.PositiveIntegerField(_("running"))
    messages = models.PositiveIntegerField(_("messages on the broker"), null=True, blank=True)
    oldest = models.FloatField(_("age of the oldest in seconds"))
    done = models.PositiveIntegerField(_("done since the last"))
    failed = models.PositiveIntegerField(_("dead since the last"))
    # {task: {"count", "run_p50", "run_p95", "wait_p50", "wait_p95"}}, in seconds
    tasks = models.JSONField(_("tasks"), default=dict)

    class Meta:
        verbose_name = _("queue sample")
        verbose_name_plural = _("queue samples")
        constraints = [
            models.UniqueConstraint(fields=["taken_at", "queue"], name="messaging_sample_once"),
        ]

    def __str__(self) -> str:
        return f"{self.queue} {self.taken_at:%Y-%m-%d %H:%M:%S}"


class Schedule(models.Model):
    """When a task that runs at intervals was started last: what keeps it from starting twice."""

    task = models.CharField(_("task"), max_length=200, primary_key=True)
    every = models.DurationField(_("every"))
    # Moved on by whole intervals, so that a late start makes no later one late.
    last_due = models.DateTimeField(_("last due"), db_default=Now())

    class Meta:
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")

    def __str__(self) -> str:
        return self.task
