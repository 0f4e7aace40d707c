"""The web process never loads an image library: a hostile picture meets none of its code there."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT, name_of, python_files

LIBRARIES = ("PIL", "pillow_heif", "pyvips", "_libvips", "numpy")
REPORT = f"""
import sys
loaded = sorted({{name.partition(".")[0] for name in sys.modules}} & set({LIBRARIES!r}))
print(" ".join(loaded), end="")
"""


def loaded_by(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program + REPORT],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_report_tells_what_is_loaded() -> None:
    assert loaded_by("import PIL.Image") == "PIL"


@pytest.mark.parametrize("entry", ["project.wsgi", "project.asgi"])
def test_an_entry_point_loads_no_image_library(entry: str) -> None:
    assert loaded_by(f"import {entry}") == ""


def test_no_page_loads_an_image_library() -> None:
    program = """
import project.wsgi
from django.urls import get_resolver
from importlib import import_module
def walk(resolver):
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            walk(pattern)
walk(get_resolver())
assert len(get_resolver().reverse_dict) > 3
"""
    modules = [
        name_of(path).removesuffix(".py").replace("/", ".")
        for path in python_files("apps")
        if path.name in {"urls.py", "views.py", "forms.py", "services.py", "tasks.py", "admin.py"}
    ]

    assert loaded_by(program + "".join(f"import_module({name!r})\n" for name in modules)) == ""


def test_a_worker_loads_no_image_library_before_it_forks() -> None:
    program = """
import django
django.setup()
from project.celery import app
app.loader.import_default_modules()
from apps import thumbnails
"""
    assert loaded_by(program) == ""
