"""Read each distinct value of a column once, and refuse wrong ones with their row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError, InvalidPostId
from engagement_pandas.text import truncated_repr


def read_each(values: pd.Series, read: Callable[[Any], Any], dtype: Any) -> pd.Series:
    """Return each value as read; each distinct value is read once."""
    codes, level = distinct(values)
    texts = []
    for place, value in enumerate(level):
        try:
            texts.append(read(value))
        except (FrameError, InvalidPostId) as error:
            row = values.index[int(np.flatnonzero(codes == place)[0])]
            msg = f"{values.name!r} in row {row}: {error}"
            raise FrameError(msg) from error
    read_values = pd.array([*texts, None], dtype=dtype)
    return pd.Series(read_values.take(codes), values.index, name=values.name)


def distinct(values: pd.Series) -> tuple[NDArray[np.intp], Any]:
    """Return the place of each value among the distinct ones, -1 if missing; and these."""
    try:
        return pd.factorize(values.astype(object))
    except TypeError:  # lists and the like
        return np.arange(len(values)), values.to_numpy(dtype=object)


def refuse(values: pd.Series, wrong: NDArray[np.bool_], what: str, cure: str) -> None:
    """Raise for the first wrong value, with its row."""
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        found = values.iloc[place]
        value = truncated_repr(found.item() if isinstance(found, np.generic) else found)
        msg = f"{values.name!r} in row {values.index[place]} is {value}, {what}; {cure}"
        raise FrameError(msg)
