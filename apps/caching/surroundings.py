"""What Django keeps beside a request, for work that is done for it in another thread or later.

A fragment shows its language and its links begin with the prefix of the site; a whole page also
has an entry for each time zone. What is computed ahead must look like what its readers see.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import tzinfo

from django.urls import get_script_prefix, get_urlconf, set_script_prefix, set_urlconf
from django.utils import timezone, translation


@dataclass(frozen=True, slots=True)
class Surroundings:
    """As they are where this is made."""

    language: str | None = field(default_factory=translation.get_language)
    time_zone: tzinfo = field(default_factory=timezone.get_current_timezone)
    prefix: str = field(default_factory=get_script_prefix)
    urlconf: str | None = field(default_factory=get_urlconf)

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Let them be as they were, until the block ends."""
        prefix, urlconf = get_script_prefix(), get_urlconf()
        set_script_prefix(self.prefix)
        set_urlconf(self.urlconf)
        try:
            with translation.override(self.language), timezone.override(self.time_zone):
                yield
        finally:
            set_script_prefix(prefix)
            set_urlconf(urlconf)
