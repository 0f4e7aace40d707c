"""The whole site as `make up` runs it, with data of its own, for browsers to visit."""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devstack.processes import Program, free_port
from tests.support.wait import wait_until

# tests/support/plugin.py sets these for tests that share its servers; this site has its own.
NOT_PASSED_ON = re.compile(
    r"(DATABASE|CACHE|BROKER|EMAIL|SITE|LIVE)_URL|INBOX_DIR|MEDIA_ROOT|STATIC_ROOT|DJANGO_ALLOW.*"
)
PAGE = 24  # photos on a page of a stream


@dataclass(kw_only=True, eq=False)
class Site(Program):
    """`python -m devstack.up` in a folder of its own."""

    name: str = "site"
    grace: float = 40.0
    var: Path
    port: int = field(default_factory=free_port)

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def command(self) -> list[str | Path]:
        return [sys.executable, "-m", "devstack.up"]

    def environment(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not NOT_PASSED_ON.match(name)}
        return {
            **kept,
            "PORT": str(self.port),
            "SAFELIGHT_VAR": str(self.var),
            "MEDIA_ROOT": str(self.var / "media"),
            "STATIC_ROOT": str(self.var / "static"),
            "PYTHONUNBUFFERED": "1",
        }

    def is_ready(self) -> bool:
        return self.log.exists() and "Safelight runs" in self.log.read_text(errors="replace")

    def wait_until_developed(self) -> None:
        """Return when the first page of the stream is full of the demo's photos."""
        demo = json.loads((self.var / "log" / "demo.json").read_text())
        wanted = min(int(demo["photos"]), PAGE)
        wait_until(lambda: self.read("/").count('<li class="card') >= wanted, seconds=240)

    def read(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.address}{path}") as answer:  # noqa: S310 - ours
            return str(answer.read().decode())

    def letters(self, to: str) -> list[dict[str, Any]]:
        """Return the letters that arrived at this address, newest first."""
        letters = json.loads(self.read("/inbox/?format=json"))["letters"]
        return [letter for letter in letters if to in str(letter["to"])]

    def link_in_letter(self, to: str, containing: str) -> str:
        """Wait for a letter with such a link, and return the link."""

        def find() -> str | None:
            links = [link for letter in self.letters(to) for link in letter["links"]]
            return next((link for link in links if containing in link), None)

        found = wait_until(find, seconds=30, what=f"a letter to {to} with {containing}")
        assert found is not None
        return found
