"""What went wrong, so that jobs which failed alike are found together."""

from __future__ import annotations

import hashlib
import sysconfig
import traceback
from collections.abc import Iterator
from types import CodeType

import msgspec

# Code of others: where it raised says less than which line of ours called it.
_FOREIGN = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib")})


class Culprit(msgspec.Struct, frozen=True):
    """The kind of a failure and its place, without what differs from job to job."""

    what: str
    where: str

    @property
    def words(self) -> str:
        """`ConnectionRefusedError in mail.delivery.send`."""
        return f"{self.what} in {self.where}"[:200] if self.where else self.what[:200]

    def fingerprint(self, task: str) -> str:
        """Equal for jobs of one task that failed alike; no line numbers, so a release keeps it."""
        text = "\0".join((task, self.what, self.where))
        return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def culprit_of(error: BaseException) -> Culprit:
    """Name the innermost function of ours that `error` came through."""
    places = [
        f"{module.removeprefix('apps.')}.{code.co_qualname}"
        for module, code in _frames(error)
        if not code.co_filename.startswith(_FOREIGN) and module != "apps.messaging.runner"
    ]
    return Culprit(what=type(error).__qualname__, where=places[-1] if places else "")


def _frames(error: BaseException) -> Iterator[tuple[str, CodeType]]:
    for frame, _ in traceback.walk_tb(error.__traceback__):
        yield str(frame.f_globals.get("__name__", "")), frame.f_code
