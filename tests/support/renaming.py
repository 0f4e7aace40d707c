"""A photo that changes all the time, so that a page tells how old it is."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field

from django.db import connections

from apps.photos import services
from apps.photos.models import Photo
from tests.support.load import Answer

EDITION = re.compile(rb"Edition (\d{6})")
RENAME_EVERY = 0.1


@dataclass
class Renaming:
    """A photo that is renamed in the background, ten times a second; every title has a number."""

    photo: Photo
    # When each renaming had returned, by its number.
    returned: list[float] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _failures: list[BaseException] = field(default_factory=list)

    def __enter__(self) -> Renaming:
        self._thread = threading.Thread(target=self._run, name="renaming", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        if self._failures:
            raise self._failures[0]

    def _run(self) -> None:
        try:
            while not self._stop.wait(RENAME_EVERY):
                title = f"Edition {len(self.returned):06}"
                services.edit_photo(
                    photo=self.photo, title=title, description="", alt=self.photo.alt
                )
                self.returned.append(time.monotonic())
        except BaseException as error:  # noqa: BLE001 - raised where the block ends
            self._failures.append(error)
        finally:
            connections.close_all()

    def is_shown_in(self, answer: Answer) -> bool:
        return EDITION.search(answer.body) is not None

    def staleness(self, answer: Answer) -> float:
        """Return how many seconds before this page was asked for its title had been replaced."""
        shown = [int(number) for number in EDITION.findall(answer.body)]
        following = min(shown, default=len(self.returned)) + 1
        if following >= len(self.returned):
            return 0.0
        return max(0.0, answer.started - self.returned[following])
