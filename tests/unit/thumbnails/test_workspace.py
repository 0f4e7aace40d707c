"""Folders for work in hand are empty, private, and do not pile up."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from apps import thumbnails


def test_a_workspace_is_empty_and_private_and_goes_away(tmp_path: Path) -> None:
    with thumbnails.workspace(tmp_path) as folder:
        (folder / "640.jpg").write_bytes(b"x")

        assert folder.is_relative_to(tmp_path)
        assert folder.stat().st_mode & 0o077 == 0
        assert folder.parent.stat().st_mode & 0o077 == 0

    assert not folder.exists()


def test_a_workspace_goes_away_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), thumbnails.workspace(tmp_path) as folder:
        raise RuntimeError

    assert not folder.exists()


def test_what_a_dead_worker_left_is_swept_and_what_a_living_one_holds_is_not(
    tmp_path: Path,
) -> None:
    with thumbnails.workspace(tmp_path) as held:
        left = held.parent / "tmpdead"
        left.mkdir()
        (left / "640.jpg").write_bytes(b"x")

        with thumbnails.workspace(tmp_path) as own:
            assert own != held
            assert held.exists()
            assert not left.exists()


def test_many_at_once_do_not_sweep_each_other(tmp_path: Path) -> None:
    def work(number: int) -> str:
        with thumbnails.workspace(tmp_path) as folder:
            (folder / "note").write_text(str(number), encoding="utf-8")
            return (folder / "note").read_text(encoding="utf-8")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(40))) == [str(number) for number in range(40)]


def test_a_place_prepared_by_somebody_else_is_not_used(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    with thumbnails.workspace(tmp_path) as folder:
        shelf = folder.parent
    os.chown(shelf, 12345, 12345)

    with pytest.raises(PermissionError), thumbnails.workspace(tmp_path):
        pass

    shutil.rmtree(shelf)


def test_the_usual_place_is_that_of_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with thumbnails.workspace() as folder:
        assert folder.parent.parent == tmp_path
