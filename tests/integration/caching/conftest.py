"""Each kind of real cache server, one of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from apps.caching.engine import engine
from devstack.servers import Memcached, Valkey
from tests.support.renewal import background_threads

__all__ = ["background_threads"]

KINDS = ["valkey", pytest.param("memcached", marks=pytest.mark.memcached)]


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Valkey | Memcached]:
    """The server that the layer uses in this test: kill(), start(), freeze(), thaw()."""
    server: Valkey | Memcached = request.getfixturevalue(f"{request.param}_server")
    url = server.url() if isinstance(server, Valkey) else server.url
    settings.CACHING = {**settings.CACHING, "SERVERS": [url], "SOCKET_TIMEOUT": 0.5}
    yield server
    engine().servers.close()


@pytest.fixture
def two_servers(
    settings: Settings, valkey_server: Valkey, memcached_server: Memcached
) -> Iterator[tuple[Valkey, Memcached]]:
    """The layer spreads its entries over these two."""
    urls = [valkey_server.url(), memcached_server.url]
    settings.CACHING = {**settings.CACHING, "SERVERS": urls, "SOCKET_TIMEOUT": 0.5}
    yield valkey_server, memcached_server
    engine().servers.close()
