"""The tidy contract: the columns and dtypes of counts and omissions.

A frame of counts has one row per count: the API's number for one post, one engagement type
and one UTC day and hour (as far as the grouping has them). A frame of omissions has one row
per omission: what was requested, has no count, and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from inspect import signature
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.row_checks import by_post, check_filled, check_times, repeated
from engagement_pandas.vocabulary.engagement_types import EngagementType
from engagement_pandas.vocabulary.limits import MAX_ID_DIGITS
from engagement_pandas.vocabulary.omission_reasons import OmissionReason

if TYPE_CHECKING:
    pass

SCHEMA_VERSION: Final = 1
"""Version of the files with these frames; rises if old readers would misread new files."""

_STR: Final[Mapping[str, Any]] = (
    {"na_value": np.nan}
    if "na_value" in signature(pd.StringDtype).parameters
    else {"storage": "pyarrow_numpy"}  # the same in pandas 2.2
)
TEXT: Final = pd.StringDtype(**_STR)
"""pandas' ``str``, which is another dtype by that name in pandas 2; see :func:`dtype_name`."""

COUNT_COLUMNS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "post_id": TEXT,
        "engagement_type": "category",
        "retrieved_at": "datetime64[us, UTC]",
        "source": "category",
        "day": "datetime64[us]",
        "hour": "int8",
        "count": "Int64",
    }
)
"""Columns of counts in their order, and dtypes; all but type and count are optional.

``source`` is the source of counts that are not of the three endpoints; it is a column so that
it survives what people do to frames.
"""

PARTIAL: Final = "partial"
"""Column of an account's days: whether a day was not over. It does not tell rows apart."""

ATTRIBUTES: Final[Mapping[str, bytes]] = MappingProxyType(
    {
        "retrieved_at": b"engagement_pandas.retrieved_at",
        "retrieved_at_known_to": b"engagement_pandas.retrieved_at_known_to",
        "endpoint": b"engagement_pandas.endpoint",
        "start": b"engagement_pandas.start",
        "end": b"engagement_pandas.end",
    }
)
"""The ``attrs`` that are stored, and their keys in the file's metadata."""

OMISSION_COLUMNS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "post_id": TEXT,
        "engagement_type": TEXT,
        "reason": "category",
        "message": TEXT,
        "start": "datetime64[us, UTC]",
        "end": "datetime64[us, UTC]",
        "retrieved_at": "datetime64[us, UTC]",
    }
)
"""Columns of omissions in their order, and dtypes; only ``retrieved_at`` is optional."""

REQUIRED_OMISSION_COLUMNS: Final = tuple(OMISSION_COLUMNS)[:-1]
"""Required columns of omissions."""

API_COLUMNS: Final = tuple(name for name in COUNT_COLUMNS if name != "source")
"""Columns of counts of the three endpoints."""

ALWAYS: Final = ("engagement_type", "count")
"""Required columns of counts, whatever the grouping."""

REASONS: Final = pd.CategoricalDtype([str(reason) for reason in OmissionReason])
"""The category of ``omissions["reason"]``: every known reason."""

_ID: Final = rf"[0-9]{{1,{MAX_ID_DIGITS}}}"
_FLOAT: Final = re.compile(r"[+-]?\d+\.\d*([eE][+-]?\d+)?|[+-]?\d+[eE][+-]?\d+|nan", re.IGNORECASE)
_VOCABULARY: Final = {str(name): place for place, name in enumerate(EngagementType)}


def dtype_name(dtype: Any) -> str:
    """Return a dtype's name, which is ``str`` for text; pandas 2.2 has another name for it.

    >>> dtype_name(TEXT), dtype_name(np.dtype("int8"))
    ('str', 'int8')
    """
    return "str" if isinstance(dtype, pd.StringDtype) and dtype == TEXT else str(dtype)


def in_order(types: Iterable[str]) -> list[str]:
    """Return engagement types in vocabulary order, then unknown ones alphabetically."""
    return sorted(types, key=lambda name: (_VOCABULARY.get(name, len(_VOCABULARY)), name))


def empty_counts(columns: Iterable[str] = API_COLUMNS) -> pd.DataFrame:
    """Return a frame of counts without rows, in the contract's order and dtypes.

    ``columns`` are the key columns, as in ``Grouping.columns``; ``count`` is added.
    """
    dtypes: dict[str, Any] = dict(COUNT_COLUMNS)
    for name in ("engagement_type", "source"):
        dtypes[name] = pd.CategoricalDtype(pd.Index([], dtype=TEXT))
    wanted = {*columns, *ALWAYS}
    return pd.DataFrame(
        {name: pd.Series(dtype=dtype) for name, dtype in dtypes.items() if name in wanted}
    )


def empty_omissions() -> pd.DataFrame:
    """Return a frame of omissions without rows, in the contract's order and dtypes."""
    dtypes: dict[str, Any] = {**OMISSION_COLUMNS, "reason": REASONS}
    return pd.DataFrame({name: pd.Series(dtype=dtypes[name]) for name in REQUIRED_OMISSION_COLUMNS})


def check_counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Raise if a frame is not tidy counts.

    Columns, dtypes and values are checked against the contract, and keys must be unique.
    Rows may be filtered or reordered: a subset of counts is still counts. The counts are
    returned as by :func:`check_rows`.
    """
    check_columns(frame)
    counts = check_rows(frame)
    if "post_id" in counts:
        _check_ids(counts["post_id"].cat.categories, "counts")
    types = frame["engagement_type"].cat.categories
    invalid = [name for name in types if not isinstance(name, str) or not name]
    if invalid:
        msg = f"the engagement type {invalid[0]!r} is not a name; write engagement types as text"
        raise FrameError(msg)
    return counts


def check_rows(counts: pd.DataFrame, *, apart: Sequence[str] = ("retrieved_at",)) -> pd.DataFrame:
    """Raise for rows that no metric may count; all metrics and files share this check.

    The counts have the contract's columns and dtypes; further columns are allowed. ``apart``
    are columns that distinguish rows with the same post, type, day and hour. The counts are
    returned with posts as by :func:`~engagement_pandas.frame.row_checks.by_post`.

    >>> len(check_rows(empty_counts()))
    0
    """
    keys = [name for name in COUNT_COLUMNS if name in counts.columns and name != "count"]
    check_filled(counts, "counts", keys)
    check_times(counts)
    keys = [name for name in keys if name != "retrieved_at" or name in apart]
    counts = by_post(counts)
    twice = repeated(counts, [*keys, *([] if "post_id" in counts.columns else further(counts))])
    if twice is None:
        return counts
    row = counts.loc[twice, keys].iloc[0].astype(str).to_dict()
    if "retrieved_at" in counts.columns and "retrieved_at" not in apart:
        msg = (
            f"{row} was retrieved several times, and counts from different times are not "
            "summed; use latest(counts), or filter by retrieved_at"
        )
        raise FrameError(msg)
    msg = f"counts have {row} twice; keep one of the rows, since they would count double"
    raise FrameError(msg)


def further(counts: pd.DataFrame) -> list[Any]:
    """Return the further columns that identify the rows of counts without posts."""
    return [
        name
        for name in counts.columns
        if name not in COUNT_COLUMNS and name != PARTIAL and is_hashable(counts[name])
    ]


def is_hashable(values: pd.Series) -> bool:
    """Return whether values can be grouped by; lists and dicts cannot.

    >>> is_hashable(pd.Series(["a", None])), is_hashable(pd.Series([None, ["a"]]))
    (True, False)
    """
    return values.dtype != object or all(map(pd.api.types.is_hashable, values))


def check_columns(frame: pd.DataFrame) -> None:
    """Raise if a frame lacks the columns and dtypes of counts; values are not checked.

    >>> check_columns(empty_counts())
    """
    _check_columns(frame, "counts", COUNT_COLUMNS, required=ALWAYS)


def check_omissions(frame: pd.DataFrame) -> None:
    """Raise if a frame is not omissions."""
    _check_columns(frame, "omissions", OMISSION_COLUMNS, required=REQUIRED_OMISSION_COLUMNS)
    filled = ["post_id", "reason", "message", "retrieved_at"]
    check_filled(frame, "omissions", [name for name in filled if name in frame])
    _check_ids(frame["post_id"].unique(), "omissions")
    if frame["reason"].dtype != REASONS:
        msg = (
            f"the categories of reason are {list(frame['reason'].cat.categories)}, not "
            f"{list(REASONS.categories)}; use omissions() unchanged"
        )
        raise FrameError(msg)


def timestamps(counts: pd.DataFrame) -> pd.Series:
    """Return the start of each row's hour, or of its day if counts are by day.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``day``, and optionally ``hour``.

    Returns
    -------
    Series
        ``datetime64[us, UTC]``, named ``timestamp``, with the index of ``counts``.

    Raises
    ------
    FrameError
        If counts have no ``day``: an hour without a day is not a time.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"123": {"impressions": {"2026-03-01": {"07": "5"}}}}}
    >>> timestamps(ep.flatten_json(body)).to_list()
    [Timestamp('2026-03-01 07:00:00+0000', tz='UTC')]
    """
    from engagement_pandas.frame.coercion import as_counts  # noqa: PLC0415 - imports this module

    counts = as_counts(counts)
    if "day" not in counts:
        columns = list(getattr(counts, "columns", ()))
        msg = f"counts with the columns {columns} have no day; group by 'engagement.day' too"
        raise FrameError(msg)
    check_times(counts)
    starts = counts["day"].astype("datetime64[us]")
    if "hour" in counts:
        starts = starts + counts["hour"].astype("timedelta64[h]").astype("timedelta64[us]")
    return starts.dt.tz_localize("UTC").rename("timestamp")


def _check_columns(
    frame: pd.DataFrame, what: str, dtypes: Mapping[str, Any], required: Sequence[str]
) -> None:
    if not isinstance(frame, pd.DataFrame):
        msg = f"{what} must be a DataFrame, not a {type(frame).__name__}; use flatten()"
        raise FrameError(msg)
    columns = list(frame.columns)
    cure = f"the columns of {what} are {list(dtypes)}"
    for name in required:
        if name not in columns:
            msg = f"{what} lack the column {name!r}; {cure}, not {columns}"
            raise FrameError(msg)
    unknown = [name for name in columns if name not in dtypes]
    if unknown:
        msg = f"{what} have no column {unknown[0]!r}; {cure}, so drop it"
        raise FrameError(msg)
    if columns != [name for name in dtypes if name in columns]:
        msg = f"the columns {columns} are out of order; {cure}, in that order"
        raise FrameError(msg)
    for name in columns:
        dtype, meant = dtype_name(frame[name].dtype), dtype_name(dtypes[name])
        if dtype != meant:
            lost = "; numbers may have lost digits, so read the IDs again as text"
            msg = f"{name!r} is {dtype}, not {meant}{lost if name == 'post_id' else ''}"
            raise FrameError(f"{msg}; use flatten(), read_parquet() or read_csv()")


def _check_ids(unique: Iterable[str], what: str) -> None:
    ids = pd.Series(unique, dtype=TEXT)
    invalid = ids[~ids.str.fullmatch(_ID)]
    if len(invalid):
        damaged = _FLOAT.fullmatch(invalid.iloc[0])
        cure = (
            "it was a float and lost its last digits; read the IDs again as text"
            if damaged
            else f"an ID has 1 to {MAX_ID_DIGITS} digits"
        )
        msg = f"{what} have the post ID {invalid.iloc[0]!r}; {cure}"
        raise FrameError(msg)


def to_iso_utc(moment: str | datetime, name: str = "retrieved_at") -> str:
    """Return a time as ISO text in UTC."""
    try:
        aware = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        if aware.utcoffset() is None:
            msg = f"{name} {moment!r} has no time zone; add one (Z, or tzinfo=UTC)"
            raise FrameError(msg)
        return aware.astimezone(UTC).isoformat()
    except (ValueError, AttributeError) as error:
        if isinstance(error, FrameError):
            raise
        msg = f"{name} {moment!r} is not a time; write 2026-03-01T09:30:00Z"
        raise FrameError(msg) from error
