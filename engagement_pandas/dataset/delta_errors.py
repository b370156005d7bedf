"""Errors of Delta tables, translated to ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from engagement_pandas.dataset.commit_conflicts import CommitConflict
from engagement_pandas.errors import DatasetError, EngagementError

_CURE: Final = {
    "read": "check that it exists and is readable, and try again",
    "written": "check its free space and permissions, and try again",
}

_PANIC: Final = "PanicException"
"""Raised by ``deltalake`` if its Rust code panics; not an ``Exception``."""


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
