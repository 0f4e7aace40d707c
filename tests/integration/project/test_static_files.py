"""`collectstatic` as the image runs it: every file of ours is named by its content."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.architecture.tree import ROOT

PRODUCTION = {
    "DEBUG": "false",
    "ENV_FILES": "",
    "SECRET_KEY": "0123456789-collectstatic-needs-no-secret-but-settings-do",
    "SITE_URL": "https://photos.example.org",
}


def collect(folder: Path) -> dict[str, str]:
    """Collect into `folder`; return the names of the manifest."""
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput"],
        cwd=ROOT,
        env={**PRODUCTION, "STATIC_ROOT": str(folder)},
        check=True,
        capture_output=True,
        timeout=120,
    )
    names: dict[str, str] = json.loads((folder / "staticfiles.json").read_text())["paths"]
    return names


def test_scripts_and_sheets_are_named_by_their_content_and_so_are_their_imports(
    tmp_path: Path,
) -> None:
    names = collect(tmp_path)

    ours = [path for path in (ROOT / "static").rglob("*") if path.suffix in {".js", ".css"}]
    assert ours
    for path in ours:
        hashed = names[str(path.relative_to(ROOT / "static"))]
        assert re.search(r"\.[0-9a-f]{12}\.(js|css)$", hashed)
        text = (tmp_path / hashed).read_text()
        imported = re.findall(r"""(?:from|import)\s*["']\.{1,2}/([^"']+)["']""", text)
        assert all(re.search(r"\.[0-9a-f]{12}\.js$", name) for name in imported), imported
