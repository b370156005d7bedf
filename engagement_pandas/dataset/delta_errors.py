"""Errors of Delta tables: commit conflicts are retried, and all others are translated."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from engagement_pandas.errors import DatasetError, EngagementError

_PAUSE: Final = 0.01  # seconds, at first
_CURE: Final = {
    "read": "check that it exists and is readable, and try again",
    "written": "check its free space and permissions, and try again",
}

_PANIC: Final = "PanicException"
"""Raised by ``deltalake`` if its Rust code panics; not an ``Exception``."""

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


def deltalake() -> Any:
    """Return the package ``deltalake``; raise if this extra is not installed."""
    try:
        import deltalake as lake  # noqa: PLC0415  an extra
        import deltalake.exceptions  # noqa: PLC0415
    except ImportError as error:
        msg = (
            "a data set needs the package deltalake; install it with: "
            "pip install 'engagement_pandas[dataset]'"
        )
        raise DatasetError(msg) from error
    return lake


@contextmanager
def translate_errors(uri: str, what: str) -> Iterator[None]:
    """Convert any failure while a table is ``read`` or ``written`` to a ``DatasetError``.

    File systems raise many types of errors.
    """
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    lake = deltalake()
    try:
        yield
    except (EngagementError, CommitConflict):
        raise
    except (lake.exceptions.DeltaError, pa.ArrowException, OSError) as error:
        msg = f"{uri} cannot be {what}: {_text_of(error)}; {_CURE[what]}"
        raise DatasetError(msg) from error
    except BaseException as error:
        if not is_failure(error):
            raise
        msg = f"{uri} cannot be {what}: {type(error).__name__}: {_text_of(error)}; try again later"
        raise DatasetError(msg) from error


def is_failure(error: BaseException) -> bool:
    """Return whether an exception is a failure, and not an interrupt or exit."""
    return isinstance(error, Exception) or type(error).__name__ == _PANIC


def _text_of(error: BaseException) -> str:
    return " ".join(str(error).split()) or "without a message"
