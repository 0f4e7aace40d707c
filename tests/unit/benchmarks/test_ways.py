"""What a machine lacks is said, and nothing of the site asks for the peers."""

from __future__ import annotations

import sys
import tomllib

import pytest
from packaging.requirements import Requirement

from benchmarks.__main__ import CACHING, NAMES
from benchmarks.__main__ import main as bench
from benchmarks.peers.kept import Kept, Way
from benchmarks.peers.ways import ALL, runnable
from devstack.processes import ROOT

PEERS = ("cacheops", "cachalot", "cashews", "django_redis", "dogpile")


def way(*, server: str = "valkey", package: str = "") -> Way:
    return Way(
        name="a way",
        keep=lambda function, seconds: Kept(function),
        server=server,
        package=package,
    )


def test_a_way_without_its_server_is_left_out_and_named() -> None:
    able, missing = runnable([way(server="memcached")], ["valkey"])

    assert able == []
    assert missing == ["NOT MEASURED: a way, for memcached is not on the PATH."]


def test_a_way_without_its_package_is_left_out_and_named() -> None:
    able, missing = runnable([way(package="no_such_package")], ["valkey"])

    assert able == []
    assert missing == ["NOT MEASURED: a way, for no_such_package is not installed."]


def test_a_way_with_both_is_measured() -> None:
    assert runnable([way(package="redis")], ["valkey"])[1] == []


def test_no_two_ways_have_one_name() -> None:
    assert all(name == each.name for name, each in ALL.items())


def test_naming_the_ways_imports_no_peer() -> None:
    assert not [name for name in PEERS if name in sys.modules]


def test_no_peer_is_asked_for_outside_the_benchmarks() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    site = project["project"]["dependencies"]
    others = {Requirement(text).name for text in [*site, *groups["dev"]]}
    peers = {Requirement(text).name for text in groups["bench"]}

    assert peers
    assert not peers & others


def test_each_benchmark_of_the_cache_has_its_name() -> None:
    assert set(CACHING) <= set(NAMES)


def test_a_benchmark_that_is_none_is_answered_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert bench(["nonsense"]) == 2
    assert "hits" in capsys.readouterr().err
