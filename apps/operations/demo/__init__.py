"""The people of the demo, their words and their pictures; all of it drawn and made up here."""

from __future__ import annotations
