"""A real SMTP server in a thread, that refuses, hangs or hangs up when a test says so."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from devstack.processes import free_port

Moment = Literal["rcpt", "data"]
HANG = "hang"
CUT = "cut"


@dataclass(kw_only=True)
class Accepted:
    """One letter for which the server had the whole text, whether or not it could say so."""

    sender: str
    recipients: list[str]
    message: EmailMessage
    acknowledged: bool


@dataclass
class _Answer:
    reply: str
    moment: Moment
    times: int | None


class _Controller(Controller):
    """Closes what its clients left open: aiosmtpd leaves that to whoever tidies memory."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._sessions: list[SMTP] = []
        super().__init__(*arguments, **options)

    def factory(self) -> SMTP:
        session: SMTP = super().factory()
        self._sessions.append(session)
        return session

    def stop(self, no_assert: bool = False) -> None:  # noqa: FBT002 - aiosmtpd's own
        asyncio.run_coroutine_threadsafe(self._drop(), self.loop).result(5)
        super().stop(no_assert=no_assert)

    async def _drop(self) -> None:
        for session in self._sessions:
            if isinstance(session.transport, asyncio.Transport):
                session.transport.abort()
        # The loop closes the sockets in its next turn.
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@dataclass
class ScriptedSMTP:
    """An SMTP server on loopback. `letters` is what it took; `tried` each recipient it was given.

    answer("ben@example.test", "451 later")              each time, at the recipient
    answer("ben@example.test", "550 nobody", times=1)    once, then as usual
    answer("ben@example.test", HANG)                     says nothing more until the client leaves
    answer("ben@example.test", CUT, moment="data")       takes the letter, hangs up before "250 OK"
    """

    letters: list[Accepted] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    port: int = field(default_factory=free_port)
    _answers: dict[str, _Answer] = field(default_factory=dict)
    _gates: dict[str, threading.Event] = field(default_factory=dict)
    _controller: _Controller | None = None

    @property
    def url(self) -> str:
        """The value of EMAIL_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen; again on the same port after `stop`."""
        # The controller's own loop thread ends with `stop`, so each start takes a new one.
        self._controller = _Controller(self, "127.0.0.1", self.port, enable_SMTPUTF8=True)
        self._controller.start()

    def stop(self) -> None:
        """Refuse connections, and drop those that are open."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def answer(
        self, address: str, reply: str, *, moment: Moment = "rcpt", times: int | None = None
    ) -> None:
        """Answer `reply` for this recipient from now on, or only the next `times`."""
        self._answers[address] = _Answer(reply, moment, times)

    def accept(self, address: str) -> None:
        """Forget what was scripted for this recipient."""
        self._answers.pop(address, None)

    def hold(self, address: str) -> threading.Event:
        """Keep this recipient waiting until the event is set, then answer as usual."""
        return self._gates.setdefault(address, threading.Event())

    def to(self, address: str) -> list[Accepted]:
        """Return the letters taken for this recipient."""
        return [letter for letter in self.letters if address in letter.recipients]

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.tried.append(address)
        if gate := self._gates.get(address):
            await asyncio.to_thread(gate.wait, 30)
        if reply := self._take(address, "rcpt"):
            return await _play(server, reply)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        replies = [self._take(address, "data") for address in envelope.rcpt_tos]
        reply = next(filter(None, replies), "250 OK")
        if not reply.startswith(("4", "5")):
            content = envelope.content
            assert isinstance(content, bytes)
            message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
            self.letters.append(
                Accepted(
                    sender=envelope.mail_from or "",
                    recipients=list(envelope.rcpt_tos),
                    message=message,
                    acknowledged=reply.startswith("250"),
                )
            )
        return await _play(server, reply)

    def _take(self, address: str, moment: Moment) -> str | None:
        found = self._answers.get(address)
        if found is None or found.moment != moment:
            return None
        if found.times is not None:
            found.times -= 1
            if found.times <= 0:
                del self._answers[address]
        return found.reply


async def _play(server: SMTP, reply: str) -> str:
    if reply == CUT and isinstance(server.transport, asyncio.Transport):
        server.transport.abort()
    if reply in {CUT, HANG}:
        # Ends when the connection does: the server cancels what still answers it.
        await asyncio.Event().wait()
    return reply
