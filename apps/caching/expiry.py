"""When an entry should be computed anew although it is still shown."""

from __future__ import annotations

import math
import random

from apps.caching.envelope import Envelope

# A draw that asks for more than 20 times the computation comes once in 500 million.
LONGEST_LEAD = 20
_dice = random.SystemRandom()


def is_due(envelope: Envelope, *, ahead: float, now_ms: int) -> bool:
    """Say whether the caller should have this entry renewed before it expires.

    In the last part `ahead` (0 to 1) of its life always; before that by lot, the likelier the
    nearer the end is and the longer the computation takes. So of many readers one is early enough,
    without any of them knowing of the others: Vattani, Chierichetti, Lowenstein, "Optimal
    Probabilistic Cache Stampede Prevention", VLDB 2015, with beta = 1.
    """
    left_ms = envelope.created_ms + envelope.fresh_ms - now_ms
    if left_ms <= ahead * envelope.fresh_ms:
        return True
    lead_ms = envelope.delta_us / 1000
    return left_ms < LONGEST_LEAD * lead_ms and left_ms <= lead_ms * -math.log(1 - _dice.random())
