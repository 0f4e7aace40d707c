from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from PIL import Image

from apps import messaging
from apps.accounts.models import User
from apps.operations import processing, services, tasks
from apps.operations.demo.cast import PASSWORD, PEOPLE
from apps.operations.demo.catalogue import CAMERAS, PALETTES, SHOTS, Shot
from apps.operations.demo.drawing import SCENES, Studio
from apps.operations.demo.words import REMARKS, admirers, remarks
from apps.operations.exceptions import NameInUse
from apps.photos.models import Photo
from apps.social.models import Comment, Follow, Like
from tests.support.accounts import make_user
from tests.support.photos import make_photo, make_renditions

SMALL = 0.1


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that keeps the small pictures from test to test."""
    return tmp_path_factory.mktemp("demo")


def small(folder: Path) -> Studio:
    return Studio(folder=folder, scale=SMALL)


class TestCatalogue:
    def test_there_is_enough_to_look_at(self) -> None:
        assert len(SHOTS) == 24
        assert len({shot.scene for shot in SHOTS}) >= 12
        assert len({(shot.scene, shot.palette) for shot in SHOTS}) == len(SHOTS)
        assert {shot.size for shot in SHOTS} >= {(2400, 1600), (1600, 2400)}

    def test_every_name_in_it_is_known(self) -> None:
        people = {person.username for person in PEOPLE}

        assert {shot.scene for shot in SHOTS} <= set(SCENES)
        assert {shot.palette for shot in SHOTS} <= set(PALETTES)
        assert {shot.owner for shot in SHOTS} == people == set(CAMERAS)
        assert {name for person in PEOPLE for name in person.follows} <= people

    def test_nothing_in_it_is_there_twice(self) -> None:
        assert len({shot.slug for shot in SHOTS}) == len(SHOTS)
        assert len({shot.title for shot in SHOTS}) == len(SHOTS)

    def test_every_picture_has_words_for_those_who_cannot_see_it(self) -> None:
        assert [shot.slug for shot in SHOTS if len(shot.alt) < 20] == []

    def test_nobody_follows_themselves(self) -> None:
        assert [person.username for person in PEOPLE if person.username in person.follows] == []


class TestWords:
    def test_every_scene_is_talked_about_by_people_of_the_demo(self) -> None:
        assert set(REMARKS) == set(SCENES)
        assert {who for said in REMARKS.values() for who in said} <= {
            person.username for person in PEOPLE
        }

    @pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.slug)
    def test_others_talk_about_it_and_like_it(self, shot: Shot) -> None:
        talking = [who for who, _ in remarks(shot)]

        assert talking
        assert shot.owner not in talking
        assert shot.owner not in admirers(shot)
        assert set(talking) <= set(admirers(shot))
        assert not any("{" in text for _, text in remarks(shot))


class TestDrawing:
    @pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.slug)
    def test_each_is_a_picture_with_the_data_of_a_camera(self, shot: Shot, drawn: Path) -> None:
        file = small(drawn).draw_shot(shot)

        with Image.open(file) as picture:
            exif = picture.getexif()
            width, height = picture.size
            extremes = picture.convert("L").getextrema()
        assert abs(width - shot.size[0] * SMALL) <= 2
        assert abs(height - shot.size[1] * SMALL) <= 2
        assert exif[271] == CAMERAS[shot.owner].make
        assert exif.get_ifd(0x8769)[36867] == shot.taken
        # Not a blank sheet: there is dark and light in it.
        assert isinstance(extremes[0], int)
        assert extremes[1] - extremes[0] > 80

    def test_the_same_is_drawn_again(self, tmp_path: Path) -> None:
        first = small(tmp_path / "a").draw_shot(SHOTS[0]).read_bytes()
        again = small(tmp_path / "b").draw_shot(SHOTS[0]).read_bytes()

        assert first == again

    def test_what_is_drawn_is_kept(self, tmp_path: Path) -> None:
        file = small(tmp_path).draw_avatar(PEOPLE[0])
        before = file.stat().st_mtime_ns

        assert small(tmp_path).draw_avatar(PEOPLE[0]) == file
        assert file.stat().st_mtime_ns == before
        assert [left.name for left in file.parent.iterdir()] == [file.name]

    def test_everybody_looks_different(self, tmp_path: Path) -> None:
        avatars = {small(tmp_path).draw_avatar(person).read_bytes() for person in PEOPLE}

        assert len(avatars) == len(PEOPLE)


@pytest.mark.django_db
class TestCreateDemo:
    def test_it_makes_people_and_pictures(self, drawn: Path) -> None:
        demo = services.create_demo(studio=small(drawn))

        assert demo.people == ["ada", "ben", "cyd", "dina", "eike", "finn"]
        assert (demo.photos, demo.new_photos) == (24, 24)
        assert Photo.objects.filter(state="queued").count() == 24
        assert Follow.objects.count() == sum(len(person.follows) for person in PEOPLE)

    def test_everybody_can_log_in(self, drawn: Path) -> None:
        demo = services.create_demo(studio=small(drawn))

        for name in [*demo.people, "admin"]:
            person = User.objects.get(username=name)
            assert person.is_confirmed
            assert person.check_password(PASSWORD)
            assert person.is_superuser == (name == "admin")

    def test_it_takes_the_way_through_the_queue(self, drawn: Path) -> None:
        services.create_demo(studio=small(drawn))

        started = [job.task for job in messaging.Job.objects.all()]
        assert started.count("photos.make_renditions") == 24
        assert started.count("operations.liven_up") == 24
        assert started.count("accounts.make_avatar") == 6
        assert "mail.deliver_letter" not in started

    def test_a_second_time_adds_nothing(self, drawn: Path) -> None:
        services.create_demo(studio=small(drawn))
        before = (User.objects.count(), Photo.objects.count(), messaging.Job.objects.count())

        again = services.create_demo(studio=small(drawn))

        assert again.new_photos == 0
        after = (User.objects.count(), Photo.objects.count(), messaging.Job.objects.count())
        assert after == before

    def test_what_was_deleted_is_added_again(self, drawn: Path) -> None:
        services.create_demo(studio=small(drawn))
        Photo.objects.filter(original_name="two-moons.jpg").delete()

        assert services.create_demo(studio=small(drawn)).new_photos == 1

    @pytest.mark.parametrize("name", ["ada", "FINN", "admin"])
    def test_nothing_is_done_in_the_name_of_somebody_else(self, name: str, drawn: Path) -> None:
        make_user(name, email="somebody@example.net")

        with pytest.raises(NameInUse, match="there can be no demo"):
            services.create_demo(studio=small(drawn))

        assert User.objects.count() == 1
        assert not Photo.objects.exists()


@pytest.mark.django_db
class TestCommand:
    @pytest.fixture(autouse=True)
    def for_development(self, settings: Any) -> None:
        settings.DEBUG = True

    def run(self, folder: Path, *arguments: str) -> tuple[str, str]:
        out, err = io.StringIO(), io.StringIO()
        call_command(
            "create_demo", f"--folder={folder}", f"--scale={SMALL}", *arguments,
            stdout=out, stderr=err, no_color=True,
        )  # fmt: skip
        return out.getvalue(), err.getvalue()

    def test_it_says_how_to_log_in(self, drawn: Path) -> None:
        out, err = self.run(drawn)

        assert "24 photos, 24 of them new." in out
        assert "Log in as ada, ben, cyd, dina, eike, finn or admin: password safelight" in out
        assert "Two moons, by Ben Hartmann" in err

    def test_for_programs_it_says_so_as_json(self, drawn: Path) -> None:
        out, _ = self.run(drawn, "--json")

        assert json.loads(out) == {
            "people": ["ada", "ben", "cyd", "dina", "eike", "finn"],
            "password": "safelight",
            "admin": {"username": "admin", "password": "safelight"},
            "photos": 24,
            "new_photos": 24,
        }

    def test_a_site_for_everybody_gets_no_known_passwords(self, drawn: Path, settings: Any) -> None:
        settings.DEBUG = False

        with pytest.raises(CommandError, match="Add --force") as refusal:
            self.run(drawn)

        assert refusal.value.returncode == 2
        assert not User.objects.exists()

    def test_who_insists_gets_them(self, drawn: Path, settings: Any) -> None:
        settings.DEBUG = False

        self.run(drawn, "--force")

        assert User.objects.filter(username="ada").exists()

    def test_a_name_that_is_taken_is_one_sentence(self, drawn: Path) -> None:
        make_user("ada", email="somebody@example.net")

        with pytest.raises(CommandError, match="Somebody else is called ada here"):
            self.run(drawn)


@pytest.mark.usefixtures("transactional_db")
class TestLivenUp:
    @pytest.fixture
    def shot(self) -> Shot:
        return SHOTS[0]

    @pytest.fixture
    def photo(self, shot: Shot) -> Photo:
        people = {person.username: make_user(person.username) for person in PEOPLE}
        return make_photo(people[shot.owner], state="queued", original_name=shot.file_name)

    @pytest.fixture
    def develop(self, photo: Photo) -> Callable[[], None]:
        def develop() -> None:
            Photo.objects.filter(pk=photo.pk).update(
                state="ready",
                width=3,
                height=2,
                renditions=make_renditions(),
                published_at=timezone.now(),
            )

        return develop

    def test_it_waits_for_the_development(self, photo: Photo, shot: Shot) -> None:
        with pytest.raises(messaging.Temporary) as young:
            tasks.liven_up(photo_id=str(photo.pk), slug=shot.slug)
        Photo.objects.filter(pk=photo.pk).update(created_at=timezone.now() - timedelta(hours=1))
        with pytest.raises(messaging.Temporary) as old:
            tasks.liven_up(photo_id=str(photo.pk), slug=shot.slug)

        # Often while somebody watches, and then as the backoff of the task has it.
        assert (young.value.wait, old.value.wait) == (3, None)

    def test_then_people_like_it_and_talk(
        self, photo: Photo, shot: Shot, develop: Callable[[], None]
    ) -> None:
        develop()

        tasks.liven_up(photo_id=str(photo.pk), slug=shot.slug)

        photo.refresh_from_db()
        said = Comment.objects.filter(photo=photo).order_by("created_at", "id")
        assert [(comment.author.username, comment.text) for comment in said] == remarks(shot)
        assert Like.objects.filter(photo=photo).count() == len(admirers(shot))
        assert photo.like_count == len(admirers(shot))
        assert photo.comment_count == len(remarks(shot))

    def test_twice_is_once(self, photo: Photo, shot: Shot, develop: Callable[[], None]) -> None:
        develop()

        for _ in range(2):
            processing.liven_up(photo_id=photo.pk, slug=shot.slug)

        assert Comment.objects.count() == len(remarks(shot))
        assert Like.objects.count() == len(admirers(shot))

    def test_it_is_a_while_ago_but_popular_this_week(
        self, photo: Photo, develop: Callable[[], None]
    ) -> None:
        develop()
        now = timezone.now()

        for shot in SHOTS:
            processing._date_back(photo, shot)
            photo.refresh_from_db()
            assert photo.published_at is not None
            assert timedelta(hours=1) < now - photo.published_at < timedelta(days=7)

    @pytest.mark.usefixtures("nothing_is_stale")
    def test_people_who_talk_a_lot_are_not_too_fast(self, develop: Callable[[], None]) -> None:
        develop()
        for shot in SHOTS:
            owner = User.objects.get(username=shot.owner)
            other = make_photo(owner, original_name=shot.file_name)
            processing.liven_up(photo_id=other.pk, slug=shot.slug)

        assert Comment.objects.count() == sum(len(remarks(shot)) for shot in SHOTS)

    def test_a_photo_that_failed_or_went_is_left_alone(self, photo: Photo, shot: Shot) -> None:
        Photo.objects.filter(pk=photo.pk).update(state="failed", reason="damaged")
        processing.liven_up(photo_id=photo.pk, slug=shot.slug)

        Photo.objects.filter(pk=photo.pk).delete()
        processing.liven_up(photo_id=photo.pk, slug=shot.slug)

        assert not Like.objects.exists()
