"""A lock that is not what pyproject.toml asks for is noticed without the package index."""

from __future__ import annotations

from pathlib import Path

import pytest

from devstack import locks
from devstack.processes import ROOT

PROJECT = """
[project]
dependencies = ["django~=5.2; python_version < '3.12'", "celery[redis]~=5.7"]
[dependency-groups]
dev = ["ruff~=0.17"]
bench = ["cashews~=7.6"]
"""
RUNTIME = """\
celery[redis]==5.7.0 \\
    --hash=sha256:bb
    # via safelight (pyproject.toml)
django==5.2.8 ; python_full_version < '3.12' \\
    --hash=sha256:aa
    # via safelight (pyproject.toml)
kombu==5.7.0 \\
    --hash=sha256:cc
    # via celery
"""
RUFF = """\
ruff==0.17.5 \\
    --hash=sha256:dd
    # via safelight (pyproject.toml:dev)
"""


CASHEWS = """\
cashews==7.6.0 \\
    --hash=sha256:ee
    # via safelight (pyproject.toml:bench)
"""


def written(
    root: Path,
    *,
    project: str = PROJECT,
    runtime: str = RUNTIME,
    dev: str = RUNTIME + RUFF,
    bench: str = "",
) -> Path:
    (root / "pyproject.toml").write_text(project)
    (root / "requirements.txt").write_text(runtime)
    (root / "requirements-dev.txt").write_text(dev)
    (root / "requirements-bench.txt").write_text(bench or dev + CASHEWS)
    return root


def test_locks_in_step_have_no_difference(tmp_path: Path) -> None:
    assert locks.differences(written(tmp_path)) == []


def test_the_locks_of_this_project_are_in_step() -> None:
    assert locks.differences(ROOT) == []


def test_a_package_that_was_added_is_missed(tmp_path: Path) -> None:
    project = PROJECT.replace('"ruff~=0.17"', '"ruff~=0.17", "pytest>=9"')

    sentence, _ = locks.differences(written(tmp_path, project=project))

    assert sentence == "requirements-dev.txt has nothing for `pytest>=9`."


def test_a_version_that_no_longer_fits_is_named(tmp_path: Path) -> None:
    found = locks.differences(written(tmp_path, project=PROJECT.replace("~=5.7", "~=5.8")))

    assert "requirements.txt has 5.7.0 for `celery[redis]~=5.8`." in found


def test_a_package_nobody_asks_for_any_more_is_named(tmp_path: Path) -> None:
    project = PROJECT.replace('"ruff~=0.17"', "")

    sentence, _ = locks.differences(written(tmp_path, project=project))

    assert sentence == "requirements-dev.txt still has ruff, which nobody asks for."


def test_a_package_of_a_package_may_stay(tmp_path: Path) -> None:
    assert "kombu" not in " ".join(locks.differences(written(tmp_path)))


def test_a_pin_without_a_hash_is_named(tmp_path: Path) -> None:
    bare = RUNTIME.replace("    --hash=sha256:cc\n", "")

    found = locks.differences(written(tmp_path, runtime=bare, dev=bare + RUFF))

    assert "requirements.txt has no hash for kombu." in found


def test_development_runs_what_production_runs(tmp_path: Path) -> None:
    other = RUNTIME.replace("kombu==5.7.0", "kombu==5.6.0")

    (sentence,) = locks.differences(written(tmp_path, dev=other + RUFF))

    assert sentence == "requirements-dev.txt lacks kombu==5.7.0 of requirements.txt."


def test_benchmarks_measure_what_production_runs(tmp_path: Path) -> None:
    other = (RUNTIME + RUFF).replace("kombu==5.7.0", "kombu==5.6.0")

    (sentence,) = locks.differences(written(tmp_path, bench=other + CASHEWS))

    assert sentence == "requirements-bench.txt lacks kombu==5.7.0 of requirements-dev.txt."


@pytest.mark.parametrize("name", [locks.RUNTIME, locks.DEVELOPMENT, locks.BENCHMARKS])
def test_a_lock_names_no_place_to_fetch_from(name: str) -> None:
    text = (ROOT / name).read_text()

    assert "://" not in text
    assert "--index-url" not in text
