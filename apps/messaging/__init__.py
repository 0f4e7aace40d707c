"""Jobs that are never lost, and topics for live use, over Celery and kombu.

    @messaging.job(queue="mail", retry=messaging.Backoff(first=15, limit=3600, total=86400))
    def deliver_letter(*, letter_id: int) -> None: ...

    deliver_letter.delay(letter_id=1)

`delay` writes a row in the current transaction: the job exists if, and only if, that transaction
commits. A Celery message, the bell, wakes a worker at commit; it may be lost, doubled or late
without harm. A job is done at least once: write tasks so that twice equals once.
docs/messaging.md says what is promised and how.
"""

from __future__ import annotations

import importlib
import typing

from apps.messaging.backoff import Backoff
from apps.messaging.exceptions import (
    Busy,
    Failed,
    Late,
    NotAnswered,
    Permanent,
    Superseded,
    Temporary,
    Unavailable,
)
from apps.messaging.priority import Priority
from apps.messaging.tracing import named, request_id

if typing.TYPE_CHECKING:
    from apps.messaging.batches.batch import Batch, batch
    from apps.messaging.batches.counts import add_counts
    from apps.messaging.jobs import Task, current_job, job
    from apps.messaging.models import Job
    from apps.messaging.plain import is_away, send
    from apps.messaging.replies.questions import Question, answers
    from apps.messaging.topics import Event, matches, publish, subscribe
else:
    # Django imports this package before models may be imported, so these wait for their first use.
    _HOMES = {
        "Batch": "batches.batch",
        "Event": "topics",
        "Job": "models",
        "Question": "replies.questions",
        "Task": "jobs",
        "add_counts": "batches.counts",
        "answers": "replies.questions",
        "batch": "batches.batch",
        "current_job": "jobs",
        "is_away": "plain",
        "job": "jobs",
        "matches": "topics",
        "publish": "topics",
        "send": "plain",
        "subscribe": "topics",
    }

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


__all__ = [
    "Backoff",
    "Batch",
    "Busy",
    "Event",
    "Failed",
    "Job",
    "Late",
    "NotAnswered",
    "Permanent",
    "Priority",
    "Question",
    "Superseded",
    "Task",
    "Temporary",
    "Unavailable",
    "add_counts",
    "answers",
    "batch",
    "current_job",
    "is_away",
    "job",
    "matches",
    "named",
    "publish",
    "request_id",
    "send",
    "subscribe",
]
