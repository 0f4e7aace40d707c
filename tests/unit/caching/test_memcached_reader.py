"""Answers of Memcached in whatever pieces they come, and answers that are none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from apps.caching.stores import Refused
from apps.caching.stores.memcached_reader import Reader

PATIENCE = 10
VALUE = b"one\r\nEND\r\ntwo"  # what looks like the end of an answer
ANSWER = b"VALUE a 0 13\r\n" + VALUE + b"\r\nVALUE c 0 0\r\n\r\nEND\r\n"
Answering = Callable[..., Reader]


@pytest.fixture
def answering() -> Iterator[Answering]:
    """Return a reader whose server answers its question with these pieces, and goes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads, readers = [], []

        def make(*pieces: bytes) -> Reader:
            thread = threading.Thread(target=serve, args=(listener, pieces))
            thread.start()
            threads.append(thread)
            readers.append(Reader(listener.getsockname(), PATIENCE))
            return readers[-1]

        yield make
        for reader in readers:
            reader.close()
        for thread in threads:
            thread.join(PATIENCE)


def serve(listener: socket.socket, pieces: tuple[bytes, ...]) -> None:
    connection, _ = listener.accept()
    with closing(connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.recv(65536)
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("cut", range(len(ANSWER) + 1))
def test_an_answer_may_come_in_pieces(answering: Answering, cut: int) -> None:
    reader = answering(ANSWER[:cut], ANSWER[cut:])

    assert reader.get(["a", "b", "c"]) == [VALUE, None, b""]


def test_a_value_may_be_longer_than_a_piece(answering: Answering) -> None:
    value = bytes(range(256)) * 2000
    reader = answering(b"VALUE a 0 %d\r\n%b\r\nEND\r\n" % (len(value), value))

    assert reader.get(["a"]) == [value]


@pytest.mark.parametrize(
    "answer", [b"SERVER_ERROR out of memory\r\n", b"ERROR\r\n", ANSWER[:-5] + b"CLIENT_ERROR\r\n"]
)
def test_an_error_of_the_server_is_a_refusal(answering: Answering, answer: bytes) -> None:
    with pytest.raises(Refused):
        answering(answer).get(["a"])


@pytest.mark.parametrize(
    "answer",
    [b"", b"VAL", ANSWER[:20], b"VALUE a 0\r\n", b"VALUE a 0 x\r\n", b"VALUE \xff 0 1\r\n"],
)
def test_a_broken_answer_is_a_lost_connection(answering: Answering, answer: bytes) -> None:
    with pytest.raises(OSError, match=r"connection|none"):
        answering(answer).get(["a"])


@pytest.mark.parametrize("key", ["", "a b", "a\r\nflush_all", "a\tb"])
def test_what_is_no_key_is_not_sent(answering: Answering, key: str) -> None:
    reader = answering(b"END\r\n")

    with pytest.raises(Refused):
        reader.get([key])
    assert reader.get(["a"]) == [None]  # its question is the first that the server hears
