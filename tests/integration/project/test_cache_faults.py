"""The site under load while its cache is killed, restarted, frozen, thawed and emptied."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django.urls import reverse
from pytest_django import Settings

from apps.caching.engine import engine
from apps.photos.models import Photo
from devstack.processes import free_port
from devstack.programs import Web
from devstack.servers import Valkey
from tests.support.accounts import make_user
from tests.support.load import SERVER_ERROR, Load
from tests.support.photos import make_photo
from tests.support.renaming import Renaming
from tests.support.servers import site_variables
from tests.support.wait import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
PAGES, RENAMINGS = 40, 4


@pytest.fixture
def photo() -> Photo:
    return make_photo(make_user("ada"), title="Before the first edition")


@pytest.fixture
def web(
    photo: Photo,
    valkey_server: Valkey,
    settings: Settings,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Web]:
    """A web process, and this one, with a cache of their own that can be attacked."""
    settings.CACHING = {
        **settings.CACHING,
        "SERVERS": [valkey_server.url()],
        "SOCKET_TIMEOUT": 0.5,
    }
    program = Web(
        name="web",
        target="project.wsgi:application",
        port=free_port(),
        options=("--interface", "wsgi", "--blocking-threads", "4"),
        log=tmp_path / "web.log",
        variables={**os.environ, **site_variables(), "CACHE_URL": valkey_server.url()},
    )
    yield program.start(seconds=60)
    program.kill()
    engine().servers.close()
    request.node.add_report_section("teardown", program.name, program.log.read_text())


def stay(load: Load, renaming: Renaming) -> None:
    """Return when the visitors have seen some more pages, and some more names were given."""
    pages, names = len(load.answers) + PAGES, len(renaming.returned) + RENAMINGS
    wait_until(lambda: len(load.answers) >= pages, seconds=60, what="pages")
    wait_until(lambda: len(renaming.returned) >= names, seconds=60, what="renamings")


def empty(server: Valkey) -> None:
    with redis.Redis.from_url(server.url()) as client:
        client.flushall()


def test_no_page_fails_and_none_is_stale_whatever_befalls_the_cache(
    web: Web, photo: Photo, valkey_server: Valkey
) -> None:
    faults: list[Callable[[], object]] = [
        lambda: None,
        valkey_server.kill,
        lambda: valkey_server.start(seconds=30),
        valkey_server.freeze,
        valkey_server.thaw,
        lambda: empty(valkey_server),
    ]
    paths = [
        reverse("home"),
        reverse("person", args=[photo.owner.username]),
        reverse("photo", args=[photo.pk]),
    ]
    load = Load(web.port, paths, visitors=6, patience=30)
    with load.running(), Renaming(photo) as renaming:
        wait_until(lambda: renaming.returned)
        for fault in faults:
            fault()
            stay(load, renaming)

    assert [answer for answer in load.answers if answer.status >= SERVER_ERROR] == []
    named = [answer for answer in load.answers if answer.started > renaming.returned[0]]
    assert all(renaming.is_shown_in(answer) for answer in named)
    assert {answer.path: worst for answer in named if (worst := renaming.staleness(answer))} == {}
