"""What the person at the terminal sees."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from devstack.console import LARGEST_LOG, Console, LogTail, rotate


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_box_holds_its_longest_line() -> None:
    output = io.StringIO()

    Console(output).box(["Site     http://localhost:8000/", "", "Ctrl-C stops everything."])

    lines = output.getvalue().strip("\n").splitlines()
    assert len({len(line) for line in lines}) == 1
    assert "| Site     http://localhost:8000/  " in lines[1]


def test_a_line_of_progress_says_who_and_how_long() -> None:
    output = io.StringIO()

    Console(output).ready("postgres", 0.52)

    assert output.getvalue() == "  postgres   ready in  0.5 s\n"


def test_nobody_reading_is_no_reason_to_stop() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    gone = os.fdopen(writing, "w")
    console = Console(gone)

    console.say("first")
    console.say("second")

    console.output.close()
    with pytest.raises(BrokenPipeError):
        gone.close()


def test_a_tail_shows_new_whole_lines_with_a_name(tmp_path: Path) -> None:
    log, output = tmp_path / "web.log", io.StringIO()
    log.write_text("before\n")
    tail = LogTail(Console(output))
    tail.follow("web", log)

    with log.open("a") as file:
        file.write("GET / 200\n\nGET /abo")
        file.flush()
        tail.show_new()
        file.write("ut 200\n")
        file.flush()
        tail.show_new()

    assert output.getvalue().splitlines() == ["web     | GET / 200", "web     | GET /about 200"]


def test_a_tail_waits_for_a_log_that_is_not_there_yet(tmp_path: Path) -> None:
    output = io.StringIO()
    tail = LogTail(Console(output))
    tail.follow("web", tmp_path / "web.log")

    tail.show_new()
    (tmp_path / "web.log").write_text("hello\n")
    tail.show_new()

    assert output.getvalue() == "web     | hello\n"


def test_each_name_has_a_colour_on_a_terminal(tmp_path: Path) -> None:
    terminal = Terminal()
    tail = LogTail(Console(terminal))
    for name in ("web", "mail"):
        tail.follow(name, tmp_path / name)
        (tmp_path / name).write_text("hello\n")

    tail.show_new()

    web, mail = terminal.getvalue().splitlines()
    assert web.startswith("\033[36mweb ")
    assert mail.startswith("\033[35mmail ")


def test_only_a_large_log_is_put_aside(tmp_path: Path) -> None:
    small, large = tmp_path / "small.log", tmp_path / "large.log"
    small.write_text("a line\n")
    with large.open("wb") as file:
        file.truncate(LARGEST_LOG + 1)

    rotate(small)
    rotate(large)
    rotate(tmp_path / "none.log")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["large.old.log", "small.log"]
