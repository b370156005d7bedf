"""Checks of numbers passed by the caller."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from engagement_pandas.errors import FrameError


def whole_number(number: Any, name: str, least: int) -> int:
    """Return an argument as an int if it is a whole number.

    >>> whole_number(2.5, "n", 1)
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: n is 2.5; give a whole number, at least 1
    """
    if is_number(number) and least <= number < np.inf and number == int(number):
        return int(number)
    msg = f"{name} is {number!r}; give a whole number, at least {least}"
    raise FrameError(msg)


def is_number(value: Any) -> bool:
    """Return whether a value is a number, Python's or numpy's, and not a boolean.

    >>> is_number(np.int64(3)), is_number(True), is_number("3")
    (True, False, False)
    """
    return isinstance(value, Real) and not isinstance(value, bool)
