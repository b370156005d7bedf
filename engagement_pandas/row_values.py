"""Values that no row of a tidy frame may have: holes, hours of no day, a key twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError

_DAY_US: Final = 86_400_000_000
_LAST_HOUR: Final = 23


def check_filled(frame: pd.DataFrame, what: str, columns: Sequence[str]) -> None:
    """Refuse columns with holes.

    Examples
    --------
    >>> check_filled(pd.DataFrame({"day": [1]}), "counts", ["day"])
    """
    for name in columns:
        if frame[name].hasnans:
            row = int(np.flatnonzero(frame[name].isna())[0])
            msg = f"{name!r} is missing in row {row} of the {what}; drop that row or fill it in"
            raise FrameError(msg)


def check_times(counts: pd.DataFrame) -> None:
    """Refuse a day that is not a midnight, and an hour that is not one of a day.

    Examples
    --------
    >>> check_times(pd.DataFrame({"hour": pd.Series([24], dtype="int8")}))
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: the hour 24 is not an hour from 0 to 23; ...
    """
    if "day" in counts.columns:
        off = counts["day"].to_numpy().astype("datetime64[us]").view("int64") % _DAY_US != 0
        _refuse(counts["day"], off, "is not a midnight")
    if "hour" in counts.columns:
        hour = counts["hour"].to_numpy()
        _refuse(counts["hour"], (hour < 0) | (hour > _LAST_HOUR), "is not an hour from 0 to 23")


def repeated(
    frame: pd.DataFrame, keys: Sequence[str], further: Sequence[str]
) -> NDArray[np.bool_] | None:
    """Return which rows have a key that stands before; None where there are none.

    Parameters
    ----------
    frame : DataFrame
    keys, further : sequence of str
        Columns of the key, in the order in which rows are sorted.

    Notes
    -----
    Rows that rise strictly, as those of ``flatten`` do, need not be hashed: that takes a
    quarter of the time.

    Examples
    --------
    >>> repeated(pd.DataFrame({"hour": [7, 3, 7]}), ["hour"], []).tolist()
    [False, False, True]
    """
    if _rises(frame, keys):
        return None
    twice = frame.duplicated([*keys, *further]).to_numpy()
    return twice if twice.any() else None


def _rises(counts: pd.DataFrame, keys: Sequence[str]) -> bool:
    """Whether each row's key is greater than the one before, so that none stands twice."""
    rises: Any = np.zeros(max(len(counts) - 1, 0), dtype=np.bool_)
    tie: Any = ~rises
    for name in keys:
        column = counts[name]
        text = name == "post_id"
        values: Any = column.cat.codes.to_numpy() if name == "engagement_type" else column.array
        values = values if text else np.asarray(values)
        rises |= tie & np.asarray(values[1:] > values[:-1], dtype=np.bool_)
        tie &= np.asarray(values[1:] == values[:-1], dtype=np.bool_)
    return bool(rises.all())


def _refuse(values: pd.Series, wrong: NDArray[np.bool_], complaint: str) -> None:
    if wrong.any():
        msg = f"the {values.name} {values[wrong].iloc[0]} {complaint}; take counts from flatten()"
        raise FrameError(msg)
