"""A folder of its own for the files of each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture
def media(settings: Settings, tmp_path: Path) -> Path:
    """Originals and renditions of each test lie in a folder of its own."""
    backend = "django.core.files.storage.FileSystemStorage"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": backend, "OPTIONS": {"location": tmp_path / "originals"}},
        "renditions": {
            "BACKEND": backend,
            "OPTIONS": {
                "location": tmp_path / "renditions",
                "base_url": "/media/renditions/",
                "allow_overwrite": True,
            },
        },
    }
    return tmp_path
