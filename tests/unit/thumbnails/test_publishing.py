"""Sets of renditions in their public place: whole, once, and gone when removed."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, InMemoryStorage, storages

from apps import thumbnails
from tests.support import pictures
from tests.support.darkroom import develop

RECIPE = thumbnails.Recipe()
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
NAMES = {f"{size}.{extension}" for size in (96, 320, 640) for extension in ("webp", "jpg")}


@pytest.fixture
def place(tmp_path: Path, settings) -> Path:
    """Give the renditions of a test a folder of their own."""
    root = tmp_path / "renditions"
    options = {**settings.STORAGES["renditions"]["OPTIONS"], "location": str(root)}
    settings.STORAGES = {
        **settings.STORAGES,
        "renditions": {**settings.STORAGES["renditions"], "OPTIONS": options},
    }
    return root


@pytest.fixture
def far_place(settings) -> InMemoryStorage:
    """Keep renditions where no file system is, as S3 does."""
    settings.STORAGES = {
        **settings.STORAGES,
        "renditions": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }
    storage = storages["renditions"]
    assert isinstance(storage, InMemoryStorage)
    return storage


@pytest.fixture
def developed(tmp_path: Path) -> thumbnails.FirstLight:
    folder = tmp_path / "prints"
    folder.mkdir()
    *_, step = develop(pictures.make_picture(), folder)
    return step


def key_of(about: str = "photo:1", sha256: str = SHA) -> str:
    return thumbnails.make_key(about=about, sha256=sha256, recipe=RECIPE)


def files_in(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_a_key_is_a_folder_that_only_the_site_can_name(settings) -> None:
    recipe, short, digits = key_of().split("/")

    assert (recipe, short) == ("1", digits[:2])
    assert len(digits) == 40
    assert SHA[:8] not in digits
    settings.SECRET_KEY = "another site"
    assert key_of().split("/")[2] != digits


def test_a_key_is_the_same_for_the_same_work_only() -> None:
    other_recipe = thumbnails.Recipe(name="2")
    keys = {
        key_of(),
        key_of("photo:2"),
        key_of(sha256=SHA[::-1]),
        thumbnails.make_key(about="photo:1", sha256=SHA, recipe=other_recipe),
        thumbnails.make_key(
            about="photo:1", sha256=SHA, recipe=RECIPE, edits=thumbnails.Edits(turns=1)
        ),
        thumbnails.make_key(
            about="photo:1", sha256=SHA, recipe=RECIPE, edits=thumbnails.Edits(turns=2)
        ),
    }

    assert len(keys) == 6
    assert key_of() == key_of()


def test_a_set_is_published_under_its_key(place: Path, developed: thumbnails.FirstLight) -> None:
    key = key_of()

    names = thumbnails.publish(developed, key)

    assert names == {name: f"{key}/{name}" for name in NAMES}
    assert files_in(place) == set(names.values())
    assert pictures.is_upright(place / names["640.webp"])
    assert thumbnails.published(key) == NAMES
    url = storages["renditions"].url(names["640.webp"])
    assert url == f"/media/renditions/{key}/640.webp"


def test_anyone_on_the_machine_may_read_what_is_public(
    place: Path, developed: thumbnails.FirstLight
) -> None:
    names = thumbnails.publish(developed, key_of())

    assert {(place / name).stat().st_mode & 0o777 for name in names.values()} == {0o644}


def test_what_exists_is_neither_made_nor_written_again(
    place: Path, developed: thumbnails.FirstLight, tmp_path: Path
) -> None:
    key = key_of()
    names = thumbnails.publish(developed, key)
    before = {name: (place / path).stat().st_mtime_ns for name, path in names.items()}
    (place / names["320.jpg"]).unlink()
    folder = tmp_path / "again"
    folder.mkdir()

    first, again = develop(pictures.make_picture(), folder, have=thumbnails.published(key))

    made = {rendition.name for rendition in again.renditions if rendition.path}
    assert made == {"320.jpg"}
    assert {path.name for path in folder.iterdir()} == {"original", "320.jpg"}
    assert {rendition.name for rendition in first.renditions} == NAMES
    assert thumbnails.publish(again, key) == names
    after = {name: (place / path).stat().st_mtime_ns for name, path in names.items()}
    assert {name for name in names if before[name] != after[name]} == {"320.jpg"}


def test_two_workers_on_one_photo_make_one_set(place: Path, tmp_path: Path) -> None:
    original = pictures.make_picture(size=(900, 700))
    start = threading.Barrier(2)

    def work(number: int) -> dict[str, str]:
        folder = tmp_path / str(number)
        folder.mkdir()
        start.wait()
        return [thumbnails.publish(step, key_of()) for step in develop(original, folder)][-1]

    with ThreadPoolExecutor() as pool:
        one, other = pool.map(work, range(2))

    assert one == other
    assert files_in(place) == set(one.values())
    assert all(pictures.read(place / name) for name in one.values())


def test_a_rendition_that_cannot_be_finished_is_not_there(
    place: Path, developed: thumbnails.FirstLight, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_room)

    with pytest.raises(OSError, match="No space left"):
        thumbnails.publish(developed, key_of())

    assert files_in(place) == set()
    assert thumbnails.published(key_of()) == set()


def test_what_a_killed_worker_left_half_written_is_not_taken_for_a_rendition(
    place: Path, developed: thumbnails.FirstLight
) -> None:
    key = key_of()
    thumbnails.publish(developed, key)
    (place / key / ".tmp4711").write_bytes(b"half a pic")

    assert thumbnails.published(key) == NAMES

    thumbnails.unpublish(key)
    assert files_in(place) == set()


def test_a_removed_set_is_gone_and_its_neighbour_is_not(
    place: Path, developed: thumbnails.FirstLight
) -> None:
    key = key_of()
    thumbnails.publish(developed, key)
    neighbour = place / Path(key).parent / ("0" * 40)
    neighbour.mkdir()

    thumbnails.unpublish(key)
    thumbnails.unpublish(key)

    assert thumbnails.published(key) == set()
    assert not (place / key).exists()
    assert neighbour.exists()


def test_nothing_is_published_under_a_key_never_used(place: Path) -> None:
    assert thumbnails.published(key_of("photo:404")) == set()


def test_renditions_may_be_kept_far_away(
    far_place: InMemoryStorage, developed: thumbnails.FirstLight
) -> None:
    key = key_of()

    names = thumbnails.publish(developed, key)

    assert thumbnails.publish(developed, key) == names
    assert thumbnails.published(key) == NAMES
    with far_place.open(names["640.jpg"]) as file:
        assert pictures.is_upright(file.read())
    thumbnails.unpublish(key)
    assert thumbnails.published(key) == set()


def test_django_writes_in_plain_sight_so_we_do_not_let_it(tmp_path: Path) -> None:
    """The behaviour of FileSystemStorage that `publishing` works around."""
    storage = FileSystemStorage(location=tmp_path, allow_overwrite=True)
    seen = []

    class Watching(ContentFile):  # type: ignore[type-arg]
        def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
            yield b"half "
            seen.append((tmp_path / "640.jpg").exists())
            yield b"a picture"

    storage.save("640.jpg", Watching(b""))
    name = storage.save("640.jpg", File(io.BytesIO(b"again")))

    assert seen == [True]
    assert name == "640.jpg"
    assert (tmp_path / "640.jpg").read_bytes() == b"again"
