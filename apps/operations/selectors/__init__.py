"""What operators and their monitors read."""

from __future__ import annotations

from apps.operations.selectors.inspection import Inspection, Report
from apps.operations.selectors.probes import PROBES

_inspection = Inspection(PROBES)


def read_readiness() -> Report:
    """Look at everything the site leans on; at most once a second, and for at most a second."""
    return _inspection.report()
