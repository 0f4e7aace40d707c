from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command


@pytest.mark.django_db(transaction=True)
def test_it_returns_when_everything_is_there() -> None:
    said = io.StringIO()

    call_command("wait_for", "database", "broker", "cache", timeout=10, stderr=said)

    assert said.getvalue().split("\n")[:3] == ["database: there", "broker: there", "cache: there"]


def test_it_gives_up_when_the_time_is_over(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.write_text("a file where the folder should be")

    with pytest.raises(CommandError, match="media: not there") as failure:
        call_command("wait_for", "media", timeout=0)

    assert failure.value.returncode == 4


def test_it_knows_what_it_can_wait_for() -> None:
    with pytest.raises(CommandError, match="invalid choice: 'tea'"):
        call_command("wait_for", "tea")
