"""The counts of a period, with what they lack and the change from the period before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from typing import Any, Final

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.contract import in_order, timestamps
from engagement_pandas.metrics.checks import require_columns
from engagement_pandas.metrics.coverage import covered, hours, span
from engagement_pandas.metrics.group_sums import added, coded
from engagement_pandas.metrics.missing_counts import missing_counts
from engagement_pandas.metrics.versus_previous import versus_previous

RANKED: Final = ("engagements", "impressions")
"""Types by which posts are ranked, the first that is counted."""

_LENGTH: Final = re.compile(
    r"(?P<number>[0-9]{1,5})\s*((?P<weeks>w|weeks?)|d|days?)?", re.IGNORECASE | re.ASCII
)
_WEEK: Final = 7
_LONGEST: Final = 36_600


@dataclass(frozen=True)
class Total:
    """The total of a type in a period, and in the one before.

    ``missing`` is the number of counts that the total lacks. ``complete`` states whether both
    periods are known to be complete.
    """

    type_name: str
    total: Any
    missing: Any
    previous: Any = pd.NA
    change: Any = pd.NA
    complete: bool = False


@dataclass(frozen=True)
class Period:
    """The last days that counts cover in full; all of them, if there are not twice as many days.

    >>> import engagement_pandas as ep
    >>> days = {f"2026-03-0{day}": str(day) for day in (1, 2, 3, 4)}
    >>> body = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-05T00:00:00Z",
    ...         "g": {"impressions": days}}
    >>> period = Period(ep.flatten_json(body), 2, "UTC")
    >>> [(total.type_name, int(total.total), total.previous) for total in period.totals]
    [('impressions', 7, 3)]
    """

    everything: pd.DataFrame
    days: int
    zone: tzinfo | str

    @cached_property
    def _compared(self) -> pd.DataFrame | str:
        if "day" not in self.everything.columns:
            return "the counts are totals, without days"
        try:
            table = versus_previous(self.everything, days=self.days, tz=self.zone)
        except FrameError as error:
            return reason(error)
        return table if len(table) else "there are no counts"

    @property
    def alone(self) -> str:
        """The reason why the period is not compared with the one before; empty if it is."""
        return self._compared if isinstance(self._compared, str) else ""

    @property
    def change(self) -> pd.DataFrame:
        """The comparison of :func:`versus_previous`; empty if there is none."""
        return pd.DataFrame() if isinstance(self._compared, str) else self._compared

    @cached_property
    def counts(self) -> pd.DataFrame:
        """The counts of the period."""
        if self.alone:
            return self.everything
        start, end = (self.change[name].iloc[0].tz_convert("UTC") for name in ("start", "end"))
        moments = timestamps(self.everything)
        part: pd.DataFrame = self.everything[((moments >= start) & (moments < end)).to_numpy()]
        part.attrs = dict(self.everything.attrs)
        if covered(part) is not None:
            part.attrs |= {"start": start.isoformat(), "end": end.isoformat()}
        return part

    @property
    def first_and_last(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """The first and the last day of the period; None if the counts have no days."""
        if not self.alone:
            row = self.change.iloc[0]
            return row["start"], row["end"] - pd.DateOffset(days=1)
        if "day" not in self.everything.columns or not len(self.everything):
            return None
        starts = timestamps(self.everything)
        days = starts.dt.tz_convert(self.zone) if "hour" in self.everything.columns else starts
        return days.min(), days.max()

    @cached_property
    def totals(self) -> list[Total]:
        """The total of each type, in vocabulary order."""
        counts = require_columns(self.counts)
        codes, table = coded(counts, ["engagement_type"])
        known = counts["count"].notna().to_numpy()
        lost = missing_counts(
            counts, ["engagement_type"], table, codes, known, posts=self._posts, span=self._span
        )
        sums = added(counts["count"], codes, len(table))
        names = list(map(str, table["engagement_type"]))
        total, missing = (dict(zip(names, column, strict=True)) for column in (sums, lost))
        change = {} if self.alone else self.change.set_index("engagement_type").to_dict("index")
        before = {str(name): row for name, row in change.items()}
        return [
            Total(
                name, total.get(name, pd.NA), missing.get(name, pd.NA), *_before(before.get(name))
            )
            for name in in_order({*total, *before})
        ]

    @property
    def _posts(self) -> list[str] | None:
        """All posts, since each should have counts in the period."""
        if self.alone or "post_id" not in self.everything.columns:
            return None
        return list(self.everything["post_id"].unique())

    @property
    def _span(self) -> tuple[int, int] | None:
        """The first hour of the period and its end, in hours since 1970, UTC."""
        if self.alone:
            return None
        row = self.change.iloc[0]
        start, end = (int(row[name].timestamp()) // 3600 for name in ("start", "end"))
        return start, end

    @property
    def types(self) -> list[str]:
        """The engagement types of the period, in vocabulary order."""
        return [total.type_name for total in self.totals]

    @property
    def rated(self) -> bool:
        """Whether the counts have an engagement rate."""
        return {"engagements", "impressions"} <= set(self.types)

    @property
    def main(self) -> str:
        """The type by which posts are ranked."""
        found = next((name for name in (*RANKED, *self.types) if name in self.types), None)
        if found is None:
            msg = "there are no counts"
            raise FrameError(msg)
        return found

    def partial_edges(self) -> Iterator[str]:
        """Yield the edges of the counts that were counted only in part, in words."""
        counts = self.everything
        if "day" not in counts.columns or not len(counts):
            return
        cover = span(counts, hours(counts))
        unit = "hour" if "hour" in counts.columns else "day"
        if not cover.known:
            yield "Which window the counts cover, so that no day is known to be complete."
            return
        if cover.start > cover.first:
            yield f"The first {unit} of the counts was counted only in part."
        if cover.until < cover.last:
            yield f"The last {unit} of the counts was counted only in part."


def days_of(period: str | int) -> int:
    """Return a period as a number of days.

    >>> days_of("7d"), days_of("4W"), days_of(28)
    (7, 28, 28)
    """
    found = None if isinstance(period, bool) else _LENGTH.fullmatch(str(period).strip())
    days = int(found["number"]) * (_WEEK if found["weeks"] else 1) if found else 0
    if not 1 <= days <= _LONGEST:
        msg = f"period is {period!r}; write whole days, such as '7d' or 28"
        raise FrameError(msg)
    return days


def reason(error: Exception) -> str:
    """Return what an error states, without the remedy.

    >>> reason(FrameError("there is no day; group by it"))
    'there is no day'
    """
    return str(error).partition(";")[0]


def _before(row: dict[Any, Any] | None) -> tuple[Any, Any, bool]:
    """Return the previous total, the change, and whether both periods are complete."""
    if row is None:
        return pd.NA, pd.NA, False
    return row["previous"], row["change"], pd.notna(row["complete"]) and bool(row["complete"])
