"""Many processes miss the same entry at once: one computes, the others wait for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from devstack.servers import Memcached, Valkey

pytestmark = pytest.mark.integration
PROCESSES = 4


def start(file: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.stampede", file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "CACHE_URL": settings.CACHING["SERVERS"][0],
            "CACHE_PREFIX": settings.CACHING["PREFIX"],
        },
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_cold_entry_is_computed_once_over_all_processes(
    server: Valkey | Memcached, tmp_path: Path
) -> None:
    file = tmp_path / "computations"
    processes = [start(file) for _ in range(PROCESSES)]

    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60)[0] for process in processes]

    assert answers == ["['value 1']\n"] * PROCESSES
    assert file.read_text(encoding="ascii") == "x"
