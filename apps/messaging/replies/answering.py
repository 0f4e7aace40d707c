"""The answering side: what a worker does with a question."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from billiard.exceptions import SoftTimeLimitExceeded

from apps.messaging import broker
from apps.messaging.broker import Line
from apps.messaging.exceptions import Permanent
from apps.messaging.replies.mailbox import queue_of
from apps.messaging.replies.questions import Answer, registry

logger = logging.getLogger(__name__)


def answer(
    *, name: str, arguments: Mapping[str, Any], deadline: float, question_id: str, reply_to: str
) -> bool:
    """Work on a question and send the answer; false if it came too late to be worked on."""
    if time.time() >= deadline:
        logger.info("question %s %s came too late", question_id, name)
        return False
    started = time.monotonic()
    found = _work(name, arguments)
    logger.info(
        "question %s %s %s ms=%.0f",
        question_id, name, found.problem or "answered", (time.monotonic() - started) * 1000,
    )  # fmt: skip
    _send(found, question_id, reply_to)
    return True


def _work(name: str, arguments: Mapping[str, Any]) -> Answer:
    question = registry.get(name)
    if question is None:
        return Answer(problem=f"No question is called {name} here.")
    try:
        return Answer(value=msgspec.msgpack.encode(question.function(**arguments)))
    except Permanent as error:
        return Answer(problem=str(error))
    except SoftTimeLimitExceeded:
        return Answer(problem="It took too long.")
    except Exception:
        # Of the words of an error nobody knows who may read them.
        logger.exception("question %s failed", name)
        return Answer(problem="It went wrong.")


def _send(found: Answer, question_id: str, reply_to: str) -> None:
    """Send it once: who asks has a deadline, and a broker that is away has no answers to give."""

    def send(line: Line) -> None:
        line.producer.publish(
            msgspec.msgpack.encode(found),
            routing_key=reply_to,
            correlation_id=question_id,
            declare=[queue_of(reply_to)],
            content_type="application/data",
            content_encoding="binary",
            delivery_mode=1,  # not kept on disk
            retry=False,
        )

    try:
        broker.attempt(send)
    except broker.BrokerAway as error:
        logger.warning("the answer to %s was not sent: %s", question_id, error)
