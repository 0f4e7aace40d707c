"""Readers that a test stops between their query and their store, and a wire that holds commands."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import connections, transaction

from apps import caching

PATIENCE = 10


class Hold:
    """Stops a reader between its query and its store."""

    def __init__(self) -> None:
        self.has_read = threading.Event()
        self.may_go_on = threading.Event()
        self.armed = False

    def point(self) -> None:
        if self.armed:
            self.armed = False  # the next one passes
            self.has_read.set()
            assert self.may_go_on.wait(PATIENCE)


hold = Hold()


@caching.cached(timeout=timedelta(minutes=5), tags=["group:{pk}"])
def get_name(pk: int) -> str | None:
    found = Group.objects.filter(pk=pk).first()
    hold.point()
    return found.name if found else None


@caching.cached(timeout=timedelta(minutes=5), tags=["group:{pk}"])
def greet(pk: int) -> str:
    """An entry built from an entry."""
    return f"Hello {get_name(pk)}"


def in_thread(work: Callable[[], Any]) -> Any:
    def run() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    return ThreadPoolExecutor(1).submit(run)


@contextmanager
def held(work: Callable[[], Any]) -> Iterator[Any]:
    """Yield while a reader in another thread has read the database and not stored yet."""
    hold.__init__()  # type: ignore[misc]
    hold.armed = True
    answer = in_thread(work)
    assert hold.has_read.wait(PATIENCE)
    yield answer
    hold.may_go_on.set()
    answer.result(PATIENCE)


def write(group: Group, name: str) -> None:
    with transaction.atomic():
        Group.objects.filter(pk=group.pk).update(name=name)
        caching.changed(group)


class Wire:
    """A way to a server on which commands can be held up, and delivered after their time-out."""

    def __init__(self, port: int) -> None:
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._may_pass = threading.Event()
        self._may_pass.set()
        self._pieces = 0
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    @property
    def holds(self) -> int:
        """Return how many pieces are held up."""
        return self._pieces

    def hold(self) -> None:
        self._may_pass.clear()

    def release(self) -> None:
        self._may_pass.set()

    def close(self) -> None:
        self.release()
        # Not close() alone: a thread that waits in accept() would not notice.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        threading.Thread(target=work, args=arguments, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
                self._start(self._carry, client, server, True)
                self._start(self._carry, server, client, False)

    def _carry(self, source: socket.socket, target: socket.socket, may_wait: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if may_wait and not self._may_pass.is_set():
                    self._pieces += 1
                    self._may_pass.wait(PATIENCE)
                    self._pieces -= 1
                target.sendall(piece)
        # What the client has sent before it gave up is carried out all the same.
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
        if not may_wait:
            source.close()
            target.close()
