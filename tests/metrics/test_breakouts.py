"""Hours and posts that stand out, and shifts of the level."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from simulation.worlds import account
from support.simulated import MARCH, totals

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.metrics import breakouts
from engagement_pandas.metrics.outliers import beyond_tail, is_heavy_tailed, level_shift

HOUR = 14 * 24 + 15


def simulated_account(**effects: float | tuple[int, float]) -> pd.DataFrame:
    """Simulate 28 days of an account with these effects."""
    return account(np.random.default_rng(4), **effects)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def busy() -> pd.DataFrame:
    """Simulate an account with an hour of six times the counts."""
    return simulated_account(burst=(HOUR, 6.0))


def test_an_ordinary_account_has_no_breakouts() -> None:
    """There are no rows, and the columns are those of any other result."""
    events = breakouts(simulated_account())
    assert not len(events)
    assert str(events["start"].dtype) == "datetime64[us, UTC]"
    assert events["post_id"].dtype == TEXT


def test_equal_counts_have_no_breakouts() -> None:
    """Neither an hour nor a post stands out."""
    hours = {f"{hour:02d}": "7" for hour in range(24)}
    days = {f"2026-08-{day}": hours for day in range(23, 28)}
    posts = {str(2091095333082140951 + n): {"impressions": days} for n in range(2)}
    body = {"start": "2026-08-23T00:00:00Z", "end": "2026-08-28T00:00:00Z", "g": posts}
    assert not len(breakouts(ep.flatten_json(body)))


def test_a_busy_hour_is_found(busy: pd.DataFrame) -> None:
    """Only that hour is found; counts are of posts older than three hours."""
    row = breakouts(busy).iloc[0]
    assert (row["what"], len(breakouts(busy))) == ("hour", 1)
    assert row["start"] == pd.Timestamp(MARCH + HOUR * 3_600_000, unit="ms", tz="UTC")
    begins = busy["day"] + pd.to_timedelta(busy["hour"].astype(int), unit="h")
    begins = begins.dt.tz_localize("UTC")
    first = begins.groupby(busy["post_id"]).transform("min")
    rows_of_the_hour = busy[(begins == row["start"]) & (begins - first > pd.Timedelta("3h"))]
    assert row["count"] == pytest.approx(rows_of_the_hour["count"].sum(), rel=0.01)
    assert row["ratio"] == pytest.approx(row["count"] / row["expected"])
    assert 3 < row["ratio"] < 12
    assert row["post_id"] == rows_of_the_hour.set_index("post_id")["count"].astype(int).idxmax()
    assert 0 < row["share"] <= 1


def test_the_hour_has_the_requested_time_zone(busy: pd.DataFrame) -> None:
    """It is the same instant in another zone."""
    row = breakouts(busy, tz="Asia/Tokyo").iloc[0]
    assert str(row["start"].tz) == "Asia/Tokyo"
    assert row["start"].hour == 0


@pytest.mark.slow
def test_an_hour_after_a_gap_is_not_a_breakout(busy: pd.DataFrame) -> None:
    """An hour cannot be predicted if the hours before are absent or unknown."""
    begins = busy["day"] + pd.to_timedelta(busy["hour"].astype(int), unit="h")
    before = begins == pd.Timestamp(MARCH + (HOUR - 1) * 3_600_000, unit="ms")
    assert not len(breakouts(busy[~before]))
    assert not len(breakouts(busy.assign(count=busy["count"].mask(before))))


def test_a_viral_post_is_found() -> None:
    """A post with 1,000 times its size has a row with its count after 24 hours."""
    counts = simulated_account(runaway=1000.0)
    events = breakouts(counts)
    row = events[events["what"] == "post"].iloc[0]
    post = counts[counts["post_id"] == row["post_id"]]
    assert post["count"].sum() == counts.groupby("post_id")["count"].sum().max()
    assert row["count"] == pytest.approx(post["count"].iloc[:25].sum(), rel=0.01)
    assert pd.isna(row["share"])
    assert not row["heavy_tail"]


def test_a_viral_post_among_uneven_posts_has_a_flag() -> None:
    """With sizes of Pareto's tail, a post is named more often than promised: the row says so."""
    events = breakouts(simulated_account(pareto=True, runaway=1000.0))
    assert events.loc[events["what"] == "post", "heavy_tail"].all()
    assert events.loc[events["what"] != "post", "heavy_tail"].isna().all()


def test_a_shift_of_the_level_is_found() -> None:
    """Posts of the second half have four times the counts; the shift begins near it."""
    events = breakouts(simulated_account(level=4.0))
    row = events[events["what"] == "shift"].iloc[0]
    assert abs(row["start"] - pd.Timestamp("2026-03-15", tz="UTC")) < pd.Timedelta("2D")
    assert row["ratio"] == pytest.approx(4, rel=0.5)


@pytest.mark.slow
def test_types_are_tested_separately(busy: pd.DataFrame) -> None:
    """An ordinary type has no rows because of another type."""
    calm = (
        simulated_account()
        .assign(engagement_type="favorites")
        .astype({"engagement_type": "category"})
    )
    both = pd.concat([busy.astype({"engagement_type": TEXT}), calm]).astype(
        {"engagement_type": pd.CategoricalDtype(pd.Index(["impressions", "favorites"]))}
    )
    both.attrs = busy.attrs
    events = breakouts(both)
    assert events["engagement_type"].to_list() == ["impressions"]


def test_unsuitable_counts_and_arguments_are_refused(busy: pd.DataFrame) -> None:
    """Totals, counts without a window, and invalid numbers."""
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


def test_the_tail_test_matches_a_calculation_by_hand() -> None:
    """Ten gaps of 1 after ranks, the first of 9: F(2, 18) of 9, times three."""
    steps = 1 / np.arange(1.0, 11)
    steps[0] = 9
    values = np.append(np.zeros(30), np.cumsum(steps[::-1]))
    assert beyond_tail(values)[-1] == pytest.approx(3 * (1 + 9 / 9) ** -9)
    assert (beyond_tail(values)[:-1] == 1).all()
    assert (beyond_tail(values[:19]) == 1).all()


@pytest.mark.parametrize(("ones", "heavy"), [(9, False), (6, True), (12, False)])
def test_a_heavy_tail_matches_a_calculation_by_hand(*, ones: int, heavy: bool) -> None:
    """Of 18 zeros and ones, a third of ones has a skewness of 0.7, and two thirds of -0.7.

    The three largest values do not count.
    """
    values = np.repeat([0.0, 1.0, 99.0], [18 - ones, ones, 3])
    assert is_heavy_tailed(values) is heavy


def test_outliers_do_not_mask_each_other() -> None:
    """Three close outliers are all beyond the tail of the other values."""
    values = np.random.default_rng(3).normal(size=60)
    p = beyond_tail(np.append(values, [20.0, 20.1, 20.2]))
    assert (p[60:] < 0.02).all()
    assert (p[:60] == 1).all()


def test_the_level_shift_matches_pettitts_test() -> None:
    """All of the first ten values are below all of the last ten: U is 100."""
    position, p = level_shift(np.arange(20.0))
    assert position == 10
    assert p == pytest.approx(2 * np.exp(-6 * 100**2 / (20**3 + 20**2)))
