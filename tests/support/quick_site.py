"""The site's settings for a web process of the tests that hashes many passwords."""

from __future__ import annotations

from project.settings import *  # noqa: F403

PASSWORD_HASHERS = ["tests.support.accounts.QuickArgon2"]
