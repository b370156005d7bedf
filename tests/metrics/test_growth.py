"""Growth between readings, worked out by hand."""

from __future__ import annotations

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas import FrameError


def readings() -> pd.DataFrame:
    """Three readings of one post, one of another, one unknown count."""
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


def test_each_interval() -> None:
    """A week and a day; a total that fell is kept and marked; a post read once has no row."""
    likes = ep.growth(readings()).query("engagement_type == 'favorites'")
    assert likes["post_id"].to_list() == ["7", "7"]
    assert likes["hours"].to_list() == [168.0, 24.0]
    assert likes["before"].to_list() == [5, 19]
    assert likes["after"].to_list() == [19, 12]
    assert likes["gained"].to_list() == [14, -7]
    assert likes["per_day"].to_list() == [2.0, -7.0]
    assert likes["fell"].to_list() == [False, True]
    assert likes["start"].dt.strftime("%m-%d").to_list() == ["03-01", "03-08"]


def test_unknown_counts() -> None:
    """What is gained from or to them is unknown, and not 0."""
    seen = ep.growth(readings()).query("engagement_type == 'impressions'")
    assert seen["gained"].isna().all()
    assert seen["fell"].isna().all()


def test_order_does_not_matter() -> None:
    """Readings may come in any order."""
    counts = readings()
    pd.testing.assert_frame_equal(ep.growth(counts[::-1]), ep.growth(counts))


def test_counts_without_readings() -> None:
    """Are refused, with the readers that have them; days are no totals."""
    once = ep.flatten_lookup({"id": "7", "public_metrics": {"like_count": 5}})
    with pytest.raises(FrameError, match=r"read_x_analytics\(\[…\]\)"):
        ep.growth(once)
    with pytest.raises(FrameError, match="needs totals"):
        ep.growth(readings().assign(day="2026-03-01"))


@pytest.mark.parametrize("endpoint", ["28hr", "historical"])
def test_counts_of_a_window(endpoint: str) -> None:
    """Windows overlap, so their difference is no growth."""
    counts = readings()
    counts.attrs["endpoint"] = endpoint
    with pytest.raises(FrameError, match="counts of a window"):
        ep.growth(counts)
