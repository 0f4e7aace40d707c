"""The way in: `python -I …/darkroom/__main__.py`, a request on stdin, answers on stdout."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType


def stand_in(name: str, folder: Path) -> None:
    """Register a package without running its `__init__`, which would import Django."""
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package


if __name__ == "__main__":
    thumbnails = Path(__file__).resolve().parent.parent
    stand_in("apps", thumbnails.parent)
    stand_in("apps.thumbnails", thumbnails)
    import_module("apps.thumbnails.darkroom.worker").main()
