"""The mail worker's side: one attempt to hand one letter to the SMTP server.

queued, waiting ──▶ sending ──▶ sent
      ▲                │  ├───▶ refused      5xx: never
      │                │  └───▶ waiting      4xx: later
      │                └─ no answer came: sent once more, with the same Message-ID
      └── no connection, 4xx

`sending` is written when the whole letter but its final dot has gone over the line. Before that
the server cannot have accepted it, so it may be tried again; after that only the answer tells, and
without one nobody can know. This is the window that SMTP leaves open (RFC 1047).
"""

from __future__ import annotations

import logging
import smtplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from apps import messaging
from apps.mail import rendering
from apps.mail.exceptions import NotDelivered, NotNow, Overtaken, Refused, Unclear
from apps.mail.models import Letter

logger = logging.getLogger(__name__)


def deliver(*, letter_id: int) -> None:
    """Try once. Raises messaging.Temporary or Permanent; a refusal is an outcome, not an error."""
    letter = _begin(letter_id)
    if letter is None:
        logger.info("letter %d is gone or settled", letter_id)
        return
    try:
        if letter.state == Letter.State.SENDING:
            _look_at(letter)
        with _line() as smtp:
            code, reply = _hand_over(smtp, letter)
            # On no condition: even if another worker has the letter by now, this one knows.
            Letter.objects.filter(pk=letter.pk).update(
                state=Letter.State.SENT, sent_at=Now(), code=code, reply=reply
            )
        logger.info("letter %d sent: %d %s", letter.pk, code, reply)
    except Refused as refusal:
        _note(letter, state=Letter.State.REFUSED, code=refusal.code, reply=refusal.reply)
        logger.warning("letter %d refused: %s", letter.pk, refusal)
    except Overtaken:
        logger.warning("letter %d: a later attempt has begun", letter.pk)
    except Unclear as cut:
        _note(letter, code=None, reply=cut.reply)
        raise messaging.Temporary(f"no answer to the letter: {cut}") from cut
    except NotNow as delay:
        _note(letter, state=Letter.State.WAITING, code=delay.code, reply=delay.reply)
        raise messaging.Temporary(str(delay)) from delay


def give_up(job: messaging.Job) -> None:
    """Called when the delivery of a letter is dead."""
    letters = Letter.objects.filter(pk=job.arguments["letter_id"])
    letters.exclude(state__in=Letter.SETTLED).update(state=Letter.State.DEAD, reply=job.error)


def _begin(letter_id: int) -> Letter | None:
    """Count an attempt; None if there is nothing left to do.

    The number is a fence: what an attempt writes holds only while no later one has begun.
    """
    with transaction.atomic():
        letter = Letter.objects.select_for_update().filter(pk=letter_id).first()
        if letter is None or letter.state in {Letter.State.SENT, Letter.State.REFUSED}:
            return None
        Letter.objects.filter(pk=letter_id).update(attempts=F("attempts") + 1)
        letter.attempts += 1
        return letter


def _note(letter: Letter, **values: Any) -> bool:
    """Write to the letter, unless a later attempt began or one is known to have succeeded."""
    ours = Letter.objects.filter(pk=letter.pk, attempts=letter.attempts)
    return ours.exclude(state=Letter.State.SENT).update(**values) == 1


def _look_at(letter: Letter) -> None:
    """An attempt ended after `sending` and before its outcome: send once more, and only once."""
    if letter.resent_at is not None:
        raise messaging.Permanent("Sent twice, and twice no answer came: it may have arrived.")
    if not _note(letter, resent_at=Now()):
        raise Overtaken("while looking at it")
    logger.warning("letter %d: no answer came last time, sending it once more", letter.pk)


def _hand_over(smtp: smtplib.SMTP, letter: Letter) -> tuple[int, str]:
    """Give the letter to the server; its answer. Raises NotDelivered."""
    recipient = rendering.envelope(letter.to)
    is_utf8 = not recipient.isascii()
    if is_utf8 and not smtp.has_extn("smtputf8"):
        raise Refused("The mail server takes no addresses outside of ASCII.")
    with _surely_not_accepted():
        # A refused sender is our mistake, not the reader's: the letter waits for its correction.
        _expect(smtp.mail(rendering.sender(), ["SMTPUTF8"] if is_utf8 else []), never=NotNow)
        _expect(smtp.rcpt(recipient))
        _expect(smtp.docmd("DATA"), code=354)
        smtp.send(rendering.on_the_wire(rendering.compose(letter), is_utf8=is_utf8))
    if not _note(letter, state=Letter.State.SENDING, sending_at=Now()):
        raise Overtaken("before the final dot")
    try:
        _socket(smtp).settimeout(settings.EMAIL_ANSWER_TIMEOUT)
        smtp.send(b".\r\n")
        answer = smtp.getreply()
    except OSError as error:
        raise Unclear(str(error) or type(error).__name__) from error
    return _expect(answer)


def _expect(
    answer: tuple[int, bytes], *, code: int = 250, never: type[NotDelivered] = Refused
) -> tuple[int, str]:
    got, reply = answer[0], answer[1].decode("utf-8", "replace")
    if got // 100 == code // 100:
        return got, reply
    raise (never if got // 100 == 5 else NotNow)(reply, code=got)  # noqa: PLR2004


@contextmanager
def _line() -> Iterator[smtplib.SMTP]:
    """A conversation with the configured server, ready for MAIL. Raises NotNow without one."""
    backend = EmailBackend(**settings.MAIL_SERVER, alias="letters")
    is_polite = False
    try:
        with _surely_not_accepted():
            backend.open()
            smtp = cast("smtplib.SMTP", backend.connection)
            smtp.ehlo_or_helo_if_needed()
            # The final dot goes alone, and must not wait for the network to confirm the rest.
            _socket(smtp).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield smtp
        is_polite = True
    except NotDelivered as error:
        is_polite = error.code is not None
        raise
    finally:
        with suppress(OSError):  # who is rude at the end changes nothing
            if backend.connection is not None and not is_polite:
                # Perhaps in the middle of a letter, where QUIT would be one more line of it.
                backend.connection.close()
            backend.close()


def _socket(smtp: smtplib.SMTP) -> socket.socket:
    if smtp.sock is None:
        raise smtplib.SMTPServerDisconnected("the line was cut")
    return smtp.sock


@contextmanager
def _surely_not_accepted() -> Iterator[None]:
    """What fails in here fails before the server can have accepted the letter."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        reply = error.smtp_error
        text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
        raise NotNow(text, code=error.smtp_code) from error
    except OSError as error:
        raise NotNow(str(error) or type(error).__name__) from error
