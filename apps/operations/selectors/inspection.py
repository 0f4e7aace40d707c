"""Is everything this process leans on there? Each probe has one second, and they run side by side.

A cache that is down makes the site slower, not wrong, so it only *degrades*; the database, its
migrations, the broker and the media folder are *required*.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

import msgspec

logger = logging.getLogger(__name__)

LIMIT = 1.0
# Probes may be asked by anybody, so they ask the servers once in this time however often they are.
REMEMBERED = 1.0


@dataclass(frozen=True, kw_only=True)
class Probe:
    """`check` raises when what it looks at is not there."""

    name: str
    check: Callable[[], None]
    required: bool = True


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    ok: bool
    required: bool
    milliseconds: float
    # The kind of the error only: its words may name hosts and accounts.
    error: str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    status: str
    checks: dict[str, Finding]

    @property
    def is_ready(self) -> bool:
        return self.status != "failed"


@dataclass
class Inspection:
    """Runs the probes; one that still hangs from the last time is not started a second time."""

    probes: Iterable[Probe]
    limit: float = LIMIT
    remembered: float = REMEMBERED
    _hanging: dict[str, threading.Thread] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _last: tuple[float, Report] | None = None

    def report(self) -> Report:
        with self._lock:
            if self._last and time.monotonic() - self._last[0] < self.remembered:
                return self._last[1]
            report = self._inspect()
            self._last = (time.monotonic(), report)
            return report

    def _inspect(self) -> Report:
        begun = time.monotonic()
        answers = [(probe, self._start(probe)) for probe in self.probes]
        findings: dict[str, Finding] = {}
        for probe, answer in answers:
            left = max(0.0, begun + self.limit - time.monotonic())
            try:
                findings[probe.name] = answer.get(timeout=left)
            except Empty:
                findings[probe.name] = _found(probe, begun, "no answer in time")
        return Report(status=_summarise(findings.values()), checks=findings)

    def _start(self, probe: Probe) -> SimpleQueue[Finding]:
        answer: SimpleQueue[Finding] = SimpleQueue()
        hanging = self._hanging.get(probe.name)
        if hanging is None or not hanging.is_alive():
            # Daemon threads: a server that never answers must not keep the process from stopping.
            thread = threading.Thread(
                target=_run, args=(probe, answer), name=f"probe-{probe.name}", daemon=True
            )
            self._hanging[probe.name] = thread
            thread.start()
        return answer


def _run(probe: Probe, answer: SimpleQueue[Finding]) -> None:
    begun = time.monotonic()
    try:
        probe.check()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a server is the finding
        logger.warning("operations.not_ready check=%s error=%r", probe.name, error)
        answer.put(_found(probe, begun, type(error).__name__))
    else:
        answer.put(_found(probe, begun, None))


def _found(probe: Probe, begun: float, error: str | None) -> Finding:
    return Finding(
        ok=error is None,
        required=probe.required,
        milliseconds=round((time.monotonic() - begun) * 1000, 1),
        error=error,
    )


def _summarise(findings: Iterable[Finding]) -> str:
    wrong = [finding for finding in findings if not finding.ok]
    if any(finding.required for finding in wrong):
        return "failed"
    return "degraded" if wrong else "ready"
