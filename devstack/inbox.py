"""Take every letter and leave it in a folder: `python -m devstack.inbox PORT FOLDER`."""

from __future__ import annotations

import asyncio
import mailbox
import signal
import sys
from email.header import Header
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

LARGEST = 32 * 1024 * 1024


class Letters:
    """Writes each letter to a Maildir, whole or not at all, before it is acknowledged."""

    def __init__(self, folder: Path) -> None:
        self.folder = mailbox.Maildir(folder, create=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        """Keep the letter with the addresses it was really sent to."""
        # In front, so that they are found before any that the letter itself may hold.
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        sender = _line("X-MailFrom", envelope.mail_from or "")
        self.folder.add(sender + _line("X-RcptTo", ", ".join(envelope.rcpt_tos)) + content)
        return "250 OK"


def _line(name: str, value: str) -> bytes:
    """Return a header, with addresses beyond ASCII as headers write them."""
    return f"{name}: {Header(value).encode(maxlinelen=0)}\r\n".encode()


async def serve(port: int, folder: Path) -> None:
    """Listen on loopback until told to stop."""
    letters = Letters(folder)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await loop.create_server(
        lambda: SMTP(letters, enable_SMTPUTF8=True, data_size_limit=LARGEST, loop=loop),
        "127.0.0.1",
        port,
    )
    async with server:
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
