"""The asking side: a function becomes a question whose answer another process computes."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property, update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, get_type_hints

import msgspec
from celery import current_app

from apps.messaging import bell, broker, plain, tracing
from apps.messaging.broker import Line
from apps.messaging.exceptions import Busy, Failed, Late, Superseded, Unavailable
from apps.messaging.naming import name_of, refuse_positional
from apps.messaging.replies.crowd import Crowd
from apps.messaging.replies.mailbox import Slip, mailbox

P = ParamSpec("P")
R = TypeVar("R")
ANSWER = "messaging.answer"
# The hard limit kills the process, so the soft one, an exception in the function, goes first.
HARD_LIMIT_AFTER = 10
registry: dict[str, Question[..., Any]] = {}


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What a worker sends back: the value as MessagePack, or why there is none."""

    value: bytes = b""
    problem: str = ""


class Question(Generic[P, R]):
    """A function that another process runs. Called directly it is the function."""

    def __init__(self, function: Callable[P, R], *, queue: str, timeout: float, most: int) -> None:
        refuse_positional(function)
        self.function = function
        self.name = name_of(function)
        self.queue = queue
        self.timeout = timeout
        self.crowd = Crowd(most)
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def ask(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what a worker computes, within the timeout. Raises NotAnswered."""
        return self.with_options().ask(*args, **kwargs)

    def with_options(self, *, timeout: float | None = None, replaces: str = "") -> Asking[P, R]:
        """The same question with another deadline, or in place of an earlier one.

        Of two questions of this process with the same `replaces`, the earlier is Superseded:
        whoever moves a slider wants to see its last position.
        """
        return Asking(self, self.timeout if timeout is None else timeout, replaces)

    @cached_property
    def decoder(self) -> msgspec.msgpack.Decoder[R]:
        """What makes a value of the annotated type of an answer's bytes."""
        return msgspec.msgpack.Decoder(get_type_hints(self.function)["return"])


class Asking(Generic[P, R]):
    """A question with the options of one asking."""

    def __init__(self, question: Question[P, R], timeout: float, replaces: str) -> None:
        self.question = question
        self.timeout = timeout
        self.replaces = replaces and f"{question.name}/{replaces}"

    def ask(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """See Question.ask."""
        question = self.question
        inspect.signature(question.function).bind(*args, **kwargs)
        with question.crowd.place():
            box = mailbox()
            slip = box.expect(self.replaces)
            try:
                answer = self._send_and_wait(slip, kwargs, reply_to=box.name)
            finally:
                box.forget(slip)
        if answer.problem:
            raise Failed(answer.problem)
        return question.decoder.decode(answer.value)

    def _send_and_wait(self, slip: Slip, arguments: dict[str, Any], *, reply_to: str) -> Answer:
        crowd, started = self.question.crowd, time.monotonic()
        deadline = started + self.timeout
        ahead = self._queue_length()
        if crowd.expects(ahead) > self.timeout:
            raise Busy("too many are waiting")
        self._send(slip, arguments, reply_to=reply_to, deadline=deadline)
        try:
            answer = self._wait(slip, deadline)
        except Late:
            crowd.learn(ahead, self.timeout)
            raise
        crowd.learn(ahead, time.monotonic() - started)
        return answer

    def _queue_length(self) -> int:
        try:
            return bell.depth(self.question.queue)
        except broker.BrokerAway as error:
            raise Unavailable(str(error)) from error

    def _send(
        self, slip: Slip, arguments: dict[str, Any], *, reply_to: str, deadline: float
    ) -> None:
        def send(line: Line) -> None:
            # What is left now: the deadline of the worker is that of the one who waits.
            seconds = max(0.0, deadline - time.monotonic())
            plain.post(
                line,
                ANSWER,
                self.question.name,
                arguments,
                time.time() + seconds,
                queue=self.question.queue,
                task_id=slip.id,
                reply_to=reply_to,
                headers={"request_id": tracing.request_id()},
                expires=seconds,
                soft_time_limit=math.ceil(seconds),
                time_limit=math.ceil(seconds) + HARD_LIMIT_AFTER,
            )

        try:
            broker.attempt(send)
        except broker.BrokerAway as error:
            raise Unavailable(str(error)) from error

    def _wait(self, slip: Slip, deadline: float) -> Answer:
        raw = slip.wait(deadline - time.monotonic())
        if raw is None:
            cancel(slip.id)
            if slip.superseded:
                raise Superseded("asked anew")
            raise Late(f"no answer in {self.timeout:g} s")
        try:
            return msgspec.msgpack.decode(raw, type=Answer)
        except msgspec.MsgspecError as error:
            raise Failed("the answer makes no sense") from error


def cancel(question_id: str) -> None:
    """Tell the workers to drop a question that none has begun. Never raises, never waits long."""
    # What `control.revoke` sends, which would take a producer from a pool, without our limits.
    message = {"method": "revoke", "arguments": {"task_id": question_id}, "destination": None}
    exchange = current_app.control.mailbox.exchange  # type: ignore[attr-defined]

    def send(line: Line) -> None:
        line.producer.publish(message, exchange=exchange, declare=[exchange], serializer="json")

    with suppress(broker.BrokerAway):
        broker.attempt(send)


def answers(
    *, queue: str, timeout: float = 5.0, most: int = 8
) -> Callable[[Callable[P, R]], Question[P, R]]:
    """Make a question of a function with keyword-only arguments that JSON can hold.

    It returns what msgspec can decode by its annotation, or raises Permanent with words for the
    one who asks. `timeout` is in seconds, from the question to its answer. No more than `most`
    threads of a process wait at the same time: the others are Busy at once.
    """

    def decorate(function: Callable[P, R]) -> Question[P, R]:
        question = Question(function, queue=queue, timeout=timeout, most=most)
        if question.name in registry:
            raise TypeError(f"two questions are called {question.name}")
        registry[question.name] = question
        return question

    return decorate
