from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack.processes import free_port
from devstack.programs import Web
from tests.support.servers import site_variables

StartLive = Callable[..., Web]
SITE = "project.asgi:application"


@pytest.fixture(params=["asgi", "asginl"])
def interface(request: pytest.FixtureRequest) -> str:
    """With the lifespan of ASGI and without it: some servers tell an application of it."""
    return str(request.param)


@pytest.fixture
def start_live(
    transactional_db: None, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[StartLive]:
    """Start a real live process on the test's database and broker; it has a `port`."""
    started: list[Web] = []

    def start(
        *, interface: str = "asgi", port: int = 0, target: str = SITE, **variables: str
    ) -> Web:
        name = f"live{len(started) + 1}"
        program = Web(
            name=name,
            target=target,
            port=port or free_port(),
            options=("--interface", interface),
            log=tmp_path / f"{name}.log",
            # All browsers of a test come from one address, and most of them are one person's.
            variables={
                **os.environ,
                **site_variables(),
                "LIVE_STREAMS_PER_PERSON": "1000",
                "LIVE_STREAMS_PER_ADDRESS": "1000",
                **variables,
            },
        )
        started.append(program)
        return program.start(seconds=60)

    yield start

    for program in started:
        program.kill()
        request.node.add_report_section("teardown", program.name, program.log.read_text())
