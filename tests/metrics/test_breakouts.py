"""Hours and posts that stand out, and shifts of the level."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from simulation.worlds import account
from support.simulated import MARCH, totals

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.metrics import breakouts
from engagement_pandas.metrics.outliers import beyond_tail, level_shift

HOUR = 14 * 24 + 15


def ordinary(**words: float | tuple[int, float]) -> pd.DataFrame:
    """Simulate 28 days of an account, with what is given out of the ordinary."""
    return account(np.random.default_rng(4), **words)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def busy() -> pd.DataFrame:
    """Simulate an hour of six times the counts."""
    return ordinary(burst=(HOUR, 6.0))


def test_nothing_out_of_the_ordinary() -> None:
    """No rows, with the columns of any other answer."""
    found = breakouts(ordinary())
    assert not len(found)
    assert str(found["start"].dtype) == "datetime64[us, UTC]"
    assert found["post_id"].dtype == "str"


def test_counts_that_are_all_alike() -> None:
    """Neither an hour nor a post stands out."""
    hours = {f"{hour:02d}": "7" for hour in range(24)}
    days = {f"2026-08-{day}": hours for day in range(23, 28)}
    posts = {str(2091095333082140951 + n): {"impressions": days} for n in range(2)}
    body = {"start": "2026-08-23T00:00:00Z", "end": "2026-08-28T00:00:00Z", "g": posts}
    assert not len(breakouts(ep.flatten_json(body)))


def test_an_hour(busy: pd.DataFrame) -> None:
    """That hour alone; the counts are of posts of three hours, but for those with next to none."""
    row = breakouts(busy).iloc[0]
    assert (row["what"], len(breakouts(busy))) == ("hour", 1)
    assert row["start"] == pd.Timestamp(MARCH + HOUR * 3_600_000, unit="ms", tz="UTC")
    begins = busy["day"] + pd.to_timedelta(busy["hour"].astype(int), unit="h")
    begins = begins.dt.tz_localize("UTC")
    first = begins.groupby(busy["post_id"]).transform("min")
    then = busy[(begins == row["start"]) & (begins - first > pd.Timedelta("3h"))]
    assert row["count"] == pytest.approx(then["count"].sum(), rel=0.01)
    assert row["ratio"] == pytest.approx(row["count"] / row["expected"])
    assert 3 < row["ratio"] < 12
    assert row["post_id"] == then.set_index("post_id")["count"].astype(int).idxmax()
    assert 0 < row["share"] <= 1


def test_the_hour_is_local(busy: pd.DataFrame) -> None:
    """The same moment in another zone."""
    row = breakouts(busy, tz="Asia/Tokyo").iloc[0]
    assert str(row["start"].tz) == "Asia/Tokyo"
    assert row["start"].hour == 0


def test_a_gap_is_not_a_low_count(busy: pd.DataFrame) -> None:
    """Hours before the burst are absent or unknown: it cannot be predicted, and is not named."""
    begins = busy["day"] + pd.to_timedelta(busy["hour"].astype(int), unit="h")
    before = begins == pd.Timestamp(MARCH + (HOUR - 1) * 3_600_000, unit="ms")
    assert not len(breakouts(busy[~before]))
    assert not len(breakouts(busy.assign(count=busy["count"].mask(before))))


def test_a_post() -> None:
    """One of 1,000 times its size: the post itself, with its count after 24 hours."""
    counts = ordinary(runaway=1000.0)
    found = breakouts(counts)
    row = found[found["what"] == "post"].iloc[0]
    post = counts[counts["post_id"] == row["post_id"]]
    assert post["count"].sum() == counts.groupby("post_id")["count"].sum().max()
    assert row["count"] == pytest.approx(post["count"].iloc[:25].sum(), rel=0.01)
    assert pd.isna(row["share"])


def test_a_shift() -> None:
    """Posts of the second half have four times as much; the shift begins near it."""
    found = breakouts(ordinary(level=4.0))
    row = found[found["what"] == "shift"].iloc[0]
    assert abs(row["start"] - pd.Timestamp("2026-03-15", tz="UTC")) < pd.Timedelta("2D")
    assert row["ratio"] == pytest.approx(4, rel=0.5)


@pytest.mark.slow
def test_types_apart(busy: pd.DataFrame) -> None:
    """A type that is ordinary has no rows because of another."""
    calm = ordinary().assign(engagement_type="favorites").astype({"engagement_type": "category"})
    both = pd.concat([busy.astype({"engagement_type": "str"}), calm]).astype(
        {"engagement_type": pd.CategoricalDtype(pd.Index(["impressions", "favorites"]))}
    )
    both.attrs = busy.attrs
    found = breakouts(both)
    assert found["engagement_type"].to_list() == ["impressions"]


def test_refused(busy: pd.DataFrame) -> None:
    """Totals, days, no window, and numbers that make no sense."""
    with pytest.raises(FrameError, match="'day'"):
        breakouts(totals([MARCH], {"favorites": [5]}))
    with pytest.raises(FrameError, match="at is 0"):
        breakouts(busy, at=0)
    with pytest.raises(FrameError, match="confidence is 5"):
        breakouts(busy, confidence=5)
    lost = busy.copy()
    lost.attrs = {}
    with pytest.raises(FrameError, match="do not state what they cover"):
        breakouts(lost)


def test_beyond_the_tail_by_hand() -> None:
    """Ten gaps of 1 after ranks, but for the first of 9: F(2, 18) of 9, times three."""
    steps = 1 / np.arange(1.0, 11)
    steps[0] = 9
    values = np.append(np.zeros(30), np.cumsum(steps[::-1]))
    assert beyond_tail(values)[-1] == pytest.approx(3 * (1 + 9 / 9) ** -9)
    assert (beyond_tail(values)[:-1] == 1).all()
    assert (beyond_tail(values[:19]) == 1).all()


def test_outliers_do_not_hide_each_other() -> None:
    """Three values far out, close together, are all beyond the tail of the others."""
    ordinary = np.random.default_rng(3).normal(size=60)
    p = beyond_tail(np.append(ordinary, [20.0, 20.1, 20.2]))
    assert (p[60:] < 0.02).all()
    assert (p[:60] == 1).all()


def test_pettitt_by_hand() -> None:
    """All of the first ten are below all of the last ten: U is 100."""
    place, p = level_shift(np.arange(20.0))
    assert place == 10
    assert p == pytest.approx(2 * np.exp(-6 * 100**2 / (20**3 + 20**2)))
