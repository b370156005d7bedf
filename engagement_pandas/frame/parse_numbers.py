"""Counts and hours in any notation, as integers."""

from __future__ import annotations

import re
from datetime import time
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.each_value import read_each, refuse
from engagement_pandas.text import truncated_repr

NO_COUNT: Final = frozenset(
    {"", "-", "\u2013", "\u2014", "n/a", "na", "nan", "<na>", "none", "null", "--"}
)
"""Texts, in lower case, that stand for an unknown count."""

_MOST: Final = 2**63 - 1

# In 1.000 the dot may separate thousands, so it is not read as 1.
_WHOLE: Final = re.compile(r"(?![+-]?[1-9][0-9]{0,2}\.000\Z)[+-]?[0-9]+(\.0*)?")

# 0,065 is a decimal number, whose comma does not separate thousands.
_GROUPED: Final = re.compile(
    r"[+-]?[1-9][0-9]{0,2}([, '\u00a0\u2009\u202f\u2019])[0-9]{3}(?:\1[0-9]{3})*(\.0*)?"
)

_ON_THE_HOUR: Final = re.compile(r"\s*([0-9]{1,2}):00(?::00)?\s*")


def to_numbers(counts: pd.Series) -> pd.Series:
    """Return counts as ``Int64``: also whole floats, and texts such as ``1,234`` or ``-``.

    >>> to_numbers(pd.Series(["1,234", "424.0", "-"])).to_list()
    [1234, 424, <NA>]
    """
    if isinstance(counts.dtype, pd.CategoricalDtype):
        counts = counts.astype(counts.dtype.categories.dtype)
    if counts.dtype.kind not in "iuf":
        return read_each(counts, _number, pd.Int64Dtype())
    missing = counts.isna().to_numpy(dtype=bool)
    cure = "give the counts themselves, which are whole numbers"
    if pd.api.types.is_float_dtype(counts.dtype):
        values = counts.to_numpy(dtype="float64", na_value=np.nan)
        with np.errstate(invalid="ignore"):
            invalid = ~missing & ~(np.isfinite(values) & (values == np.floor(values)))
        refuse(counts, invalid, "not a whole number", cure)
        refuse(
            counts, np.abs(values) > _exact(counts.dtype), "a float that may have lost digits", cure
        )
        integers = np.where(missing, 0, values).astype("int64")
    else:
        if pd.api.types.is_unsigned_integer_dtype(counts.dtype):
            most = counts.to_numpy(dtype="uint64", na_value=0)
            refuse(counts, most > np.uint64(_MOST), "more than 64 bits hold", cure)
        integers = counts.to_numpy(dtype="int64", na_value=0)
        refuse(counts, integers < -_MOST, "more than 64 bits hold", cure)
    return pd.Series(pd.arrays.IntegerArray(integers, missing), counts.index, name=counts.name)


def to_hours(hours: pd.Series) -> pd.Series:
    """Return hours as ``int8``; also times of the clock at whole hours.

    >>> to_hours(pd.Series(["07", "23:00"])).to_list()
    [7, 23]
    """
    is_number = pd.api.types.is_numeric_dtype(hours.dtype)
    numbers = to_numbers(hours if is_number else hours.astype(object).map(_clock_hour))
    cure = "an hour is a whole number from 0 to 23, UTC"
    refuse(hours, numbers.isna().to_numpy(dtype=bool), "missing", cure)
    values = numbers.to_numpy(dtype="int64")
    refuse(hours, (values < 0) | (values > 23), "not an hour", cure)  # noqa: PLR2004 - the last
    return pd.Series(values.astype("int8"), hours.index, name=hours.name)


def _clock_hour(value: Any) -> Any:
    """Return the hour of a time such as 07:00, and other values as they are."""
    found = _ON_THE_HOUR.fullmatch(str(value)) if isinstance(value, str | time) else None
    return int(found[1]) if found else value


def _exact(dtype: Any) -> int:
    """Return the largest integer that no other integer is rounded to by a type of floats.

    >>> _exact(pd.Float32Dtype()), _exact(float) == 2**53 - 1
    (16777215, True)
    """
    plain: Any = getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype))
    return int(2 ** (np.finfo(plain).nmant + 1)) - 1


def _number(value: Any) -> int | None:
    """Return a count as an integer; None if it stands for an unknown one."""
    if isinstance(value, bool | np.bool_):
        msg = f"{value!r} is not a count"
        raise FrameError(msg)
    if isinstance(value, int | np.integer):
        number = int(value)
    elif isinstance(value, float | np.floating | Decimal):
        most: int = _MOST if isinstance(value, Decimal) else _exact(type(value))
        if not -most <= value <= most:
            msg = f"{value!r} is a number that 64 bits do not hold, or a float without all digits"
            raise FrameError(msg)
        if value != value // 1:
            msg = f"{value!r} is not a whole number; give the counts themselves"
            raise FrameError(msg)
        number = int(value)
    elif isinstance(value, str):
        text = value.strip().lower()
        if text in NO_COUNT:
            return None
        if not (_WHOLE.fullmatch(text) or _GROUPED.fullmatch(text)):
            msg = (
                f"{truncated_repr(value)} is not a whole number such as 1234 or '1,234'; give the "
                "counts themselves"
            )
            raise FrameError(msg)
        number = int(re.sub(r"[^0-9+-]", "", text.partition(".")[0]))
    else:
        msg = f"{truncated_repr(value)} is not a count"
        raise FrameError(msg)
    if not -_MOST <= number <= _MOST:
        msg = f"{number} is more than 64 bits hold"
        raise FrameError(msg)
    return number
