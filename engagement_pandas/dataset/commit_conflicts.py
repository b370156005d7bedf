"""Conflicts between writers that commit to a table at the same time: the later one retries."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from engagement_pandas.errors import DatasetError

_PAUSE: Final = 0.01  # seconds, at first

Result = TypeVar("Result")


class CommitConflict(Exception):
    """Another writer committed first, so this commit is based on an outdated version."""


def retry_on_conflict(attempt: Callable[[], Result], tries: int = 20) -> Result:
    """Retry as long as other writers commit first, with growing pauses."""
    for number in range(tries):
        try:
            return attempt()
        except CommitConflict:
            time.sleep(random.uniform(0, min(_PAUSE * 2**number, 1)))  # noqa: S311 - no secret
    msg = f"could not commit in {tries} attempts, because other writers keep committing first"
    raise DatasetError(f"{msg}; try again when they are done")
