"""Growth between readings, worked out by hand."""

from __future__ import annotations

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas import FrameError


def readings() -> pd.DataFrame:
    """Return three readings of one post, one of another, and an unknown count."""
    counts = [
        ("7", "2026-03-01", 5, 100),
        ("7", "2026-03-08", 19, None),
        ("7", "2026-03-09", 12, 90),
    ]
    parts = [
        ep.flatten_lookup(
            {"id": post, "public_metrics": {"like_count": likes, "impression_count": seen}},
            retrieved_at=f"{day}T00:00Z",
        )
        for post, day, likes, seen in [*counts, ("8", "2026-03-01", 1, 2)]
    ]
    return pd.concat(parts, ignore_index=True)


def test_each_interval_between_readings_has_a_row() -> None:
    """A total that fell is kept and marked; a post with one reading has no row."""
    likes = ep.growth(readings()).query("engagement_type == 'favorites'")
    assert likes["post_id"].to_list() == ["7", "7"]
    assert likes["hours"].to_list() == [168.0, 24.0]
    assert likes["before"].to_list() == [5, 19]
    assert likes["after"].to_list() == [19, 12]
    assert likes["gained"].to_list() == [14, -7]
    assert likes["per_day"].to_list() == [2.0, -7.0]
    assert likes["fell"].to_list() == [False, True]
    assert likes["start"].dt.strftime("%m-%d").to_list() == ["03-01", "03-08"]


def test_growth_of_unknown_counts_is_missing() -> None:
    """The gain from or to an unknown count is not 0."""
    seen = ep.growth(readings()).query("engagement_type == 'impressions'")
    assert seen["gained"].isna().all()
    assert seen["fell"].isna().all()


def test_readings_may_have_any_order() -> None:
    """The result does not depend on it."""
    counts = readings()
    pd.testing.assert_frame_equal(ep.growth(counts[::-1]), ep.growth(counts))


def test_counts_without_readings_are_refused() -> None:
    """The error names the functions that read them; days are no totals."""
    single = ep.flatten_lookup({"id": "7", "public_metrics": {"like_count": 5}})
    with pytest.raises(FrameError, match=r"read_x_analytics\(\[…\]\)"):
        ep.growth(single)
    with pytest.raises(FrameError, match="needs totals"):
        ep.growth(readings().assign(day="2026-03-01"))


@pytest.mark.parametrize("endpoint", ["28hr", "historical"])
def test_counts_of_a_window_are_refused(endpoint: str) -> None:
    """Windows overlap, so their difference is not growth."""
    counts = readings()
    counts.attrs["endpoint"] = endpoint
    with pytest.raises(FrameError, match="counts of a window"):
        ep.growth(counts)
