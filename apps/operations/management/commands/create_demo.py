from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.operations import services
from apps.operations.demo.cast import ADMIN, PASSWORD
from apps.operations.demo.drawing import Studio
from apps.operations.exceptions import NameInUse


class Command(BaseCommand):
    help = (
        "Add six people, an admin and two dozen drawn photos with likes and comments, for a look "
        "around. What is there already stays as it is, so it may run at every start. The photos "
        "go through the queue: they develop when an image worker runs, and are talked about when "
        "the default worker does. Example: manage.py create_demo --json"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Say the result as JSON.")
        parser.add_argument(
            "--force",
            action="store_true",
            help="Also where DEBUG is off. Everybody knows the passwords of the demo.",
        )
        parser.add_argument(
            "--folder",
            type=Path,
            default=settings.BASE_DIR / "var" / "demo",
            help="Where drawn pictures are kept (default: var/demo).",
        )
        parser.add_argument(
            "--scale", type=float, default=1.0, help="Draw smaller pictures, such as 0.25."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.DEBUG or options["force"]):
            raise CommandError(
                "This site is not for development, and everybody knows the passwords of the demo. "
                "Add --force if that is what you want.",
                returncode=2,
            )
        try:
            studio = Studio(folder=options["folder"], scale=options["scale"])
            demo = services.create_demo(studio=studio, tell=self._tell)
        except NameInUse as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(_describe(demo)))
            return
        self.stdout.write(f"{demo.photos} photos, {demo.new_photos} of them new.")
        self.stdout.write(f"Log in as {', '.join(demo.people)} or {ADMIN}: password {PASSWORD}")

    def _tell(self, what: str) -> None:
        # Results go to stdout, so that they can be piped; what is going on does not.
        self.stderr.write(what)


def _describe(demo: services.Demo) -> dict[str, object]:
    return {
        "people": demo.people,
        "password": PASSWORD,
        "admin": {"username": ADMIN, "password": PASSWORD},
        "photos": demo.photos,
        "new_photos": demo.new_photos,
    }
