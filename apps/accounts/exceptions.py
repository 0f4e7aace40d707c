"""What may be wrong with what somebody wants.

AccountError
 └─ NameTaken
"""

from __future__ import annotations


class AccountError(Exception):
    """What was asked for cannot be done."""


class NameTaken(AccountError):
    """Somebody has this user name already."""
