"""How long to wait before a call that failed on the way is sent again."""

from __future__ import annotations

import random

BASE_S, MOST_S = 0.05, 2.0


def full_jitter_s(attempt: int) -> float:
    """Seconds before the repetition number `attempt`, from 0 on.

    A random share of a doubling time, so that everybody whose call died with the same actor does not
    come back at the same moment ("full jitter": M. Brooker, Exponential Backoff and Jitter, AWS, 2015).
    """
    return random.uniform(0.0, min(MOST_S, BASE_S * 2**attempt))
