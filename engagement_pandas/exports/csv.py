"""CSV, with IDs that are text from the first byte on."""

from __future__ import annotations

import csv
import os
import re
import zlib
from collections.abc import Callable, Mapping
from gzip import BadGzipFile
from pathlib import Path
from typing import IO, Any, Final, cast
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.exports.contract import MISSING, as_reasons, as_text, as_types, checked
from engagement_pandas.frame import TEXT
from engagement_pandas.replacing import replacing

_MIDNIGHT: Final = "%Y-%m-%d"
_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")


_UNREADABLE: Final = (
    pd.errors.ParserError,
    pd.errors.EmptyDataError,
    UnicodeDecodeError,
    BadGzipFile,
    BadZipFile,
    EOFError,
    zlib.error,
)


def write_csv(counts: pd.DataFrame, path_or_buffer: str | os.PathLike[str] | IO[str]) -> None:
    """Write counts, or omissions, as CSV: days as ``YYYY-MM-DD``, ``<NA>`` as nothing.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts or omissions. Neither the index nor ``attrs`` are kept.
    path_or_buffer : str, path or text buffer
        A path is replaced as by :func:`write_parquet`; ``.gz`` and the like are compressed.

    Raises
    ------
    FrameError
        Where the frame is neither.

    Examples
    --------
    >>> import engagement_pandas as ep, sys
    >>> write_csv(ep.flatten_json({"g": {"123": {"impressions": "5"}}}), sys.stdout)
    post_id,engagement_type,count
    123,impressions,5
    """
    checked(counts)
    texts = counts.copy()
    if "day" in texts:
        texts["day"] = texts["day"].dt.strftime(_MIDNIGHT)
    if "retrieved_at" in texts:
        texts["retrieved_at"] = texts["retrieved_at"].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for name in texts.columns.intersection(["start", "end"]):
        texts[name] = texts[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ")

    def write(target: Any) -> None:
        texts.to_csv(
            target,
            index=False,
            na_rep=MISSING,
            lineterminator="\n",
            encoding="utf-8",
            quoting=csv.QUOTE_ALL if _has_returns(texts) else csv.QUOTE_MINIMAL,
        )

    if isinstance(path_or_buffer, str | os.PathLike):
        with replacing(Path(path_or_buffer)) as beside:
            write(beside)
    else:
        write(path_or_buffer)


def read_csv(path_or_buffer: str | os.PathLike[str] | IO[str]) -> pd.DataFrame:
    r"""Read what :func:`write_csv` wrote; IDs are text from the first byte on.

    Returns
    -------
    DataFrame
        Counts or omissions with the dtypes of the contract.

    Raises
    ------
    FrameError
        Where the file is not tidy counts or omissions, or a program has turned its IDs
        into floats.

    Examples
    --------
    >>> import io
    >>> read_csv(io.StringIO("post_id,engagement_type,count\n0123,impressions,\n"))
      post_id engagement_type  count
    0    0123     impressions   <NA>
    """
    try:
        texts = pd.read_csv(path_or_buffer, dtype=TEXT, keep_default_na=False, encoding="utf-8")
    except _UNREADABLE as error:
        msg = f"this is not CSV with counts or omissions: {error}"
        raise FrameError(msg) from error
    readers = _OMISSION_READERS if "reason" in texts else _COUNT_READERS
    frame = pd.DataFrame(
        {name: readers.get(str(name), as_text)(texts[name]) for name in texts.columns},
        index=texts.index,
    )
    checked(frame)
    return frame


def _has_returns(texts: pd.DataFrame) -> bool:
    """Tell whether a text has a carriage return, which Python's writer leaves bare."""
    names = texts.columns.intersection(["engagement_type", "reason", "message"])
    return any("\r" in str(text) for name in names for text in texts[name].unique())


def _as_counts(texts: pd.Series) -> pd.Series:
    missing = texts == MISSING
    return _integers(texts.mask(missing, "0"), "int64").astype("Int64").mask(missing)


def _as_hours(texts: pd.Series) -> pd.Series:
    return _integers(texts, "int8")


def _integers(texts: pd.Series, dtype: str) -> pd.Series:
    odd = texts[~texts.str.fullmatch(_INTEGER)]
    try:
        if len(odd):
            raise ValueError(odd.iloc[0])  # noqa: TRY301  the cause of the error below
        return pd.Series(np.array(texts.to_list(), dtype=object).astype(dtype), texts.index)
    except (ValueError, OverflowError) as error:
        msg = f"{texts.name!r} holds {error}, and should hold integers ({dtype})"
        raise FrameError(msg) from error


def _as_days(texts: pd.Series) -> pd.Series:
    return _moments(texts, "datetime64[us]", utc=False)


def _as_bounds(texts: pd.Series) -> pd.Series:
    return _moments(texts, "datetime64[us, UTC]", utc=True)


def _moments(texts: pd.Series, dtype: Any, *, utc: bool) -> pd.Series:
    try:
        moments: Any = pd.to_datetime(as_text(texts), format="ISO8601", utc=utc).astype(dtype)
    except (ValueError, TypeError) as error:
        msg = f"{texts.name!r} holds what is not a time: {error}"
        raise FrameError(msg) from error
    return cast("pd.Series", moments)


_Readers = Mapping[str, Callable[[pd.Series], pd.Series]]

_COUNT_READERS: Final[_Readers] = {
    "engagement_type": as_types,
    "retrieved_at": _as_bounds,
    "day": _as_days,
    "hour": _as_hours,
    "count": _as_counts,
}
_OMISSION_READERS: Final[_Readers] = {
    "reason": as_reasons,
    "start": _as_bounds,
    "end": _as_bounds,
    "retrieved_at": _as_bounds,
}
