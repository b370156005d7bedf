"""``counts.engagement``: the same functions, the frame first."""

from __future__ import annotations

import inspect

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.frame.accessor import METHODS

BODY = {
    "g": {
        "1": {
            "impressions": {"2026-03-01": {"07": "40"}},
            "engagements": {"2026-03-01": {"07": "2"}},
        }
    }
}


@pytest.fixture
def counts() -> pd.DataFrame:
    """Return a post's one hour."""
    return ep.flatten_json(BODY)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_each_method_is_a_function_of_counts(counts: pd.DataFrame, name: str) -> None:
    """It exists where the table says, takes counts first, and the accessor hands it over."""
    function = getattr(ep, name)
    assert next(iter(inspect.signature(function).parameters)) in {"counts", "a"}
    method = getattr(counts.engagement, name)
    assert (method.func, method.args[0] is counts) == (function, True)


def test_it_gives_what_the_function_gives(counts: pd.DataFrame) -> None:
    """Arguments pass through."""
    expected = ep.engagement_rate(counts, by=None)
    pd.testing.assert_frame_equal(counts.engagement.engagement_rate(by=None), expected)


def test_a_filtered_frame_has_it_too(counts: pd.DataFrame) -> None:
    """A slice of counts is counts."""
    few = counts[counts["engagement_type"] == "impressions"]
    assert few.engagement.timestamps().iloc[0] == pd.Timestamp("2026-03-01T07:00:00Z")


def test_other_frames_do_not(counts: pd.DataFrame) -> None:
    """The error names the column; looking at what a frame can do does not raise it."""
    other = counts.astype({"post_id": "float64"})
    with pytest.raises(ep.FrameError, match="'post_id' in row 0 is"):
        _ = other.engagement
    assert not hasattr(other, "engagement")
    assert "engagement" not in dir(other)


def test_what_it_can_do(counts: pd.DataFrame) -> None:
    """Completion lists the methods; a name that is none says which there are."""
    assert dir(counts.engagement) == sorted(METHODS)
    with pytest.raises(AttributeError, match=r"choose from .*'half_life'"):
        _ = counts.engagement.half_lives


def test_further_columns_are_keys(counts: pd.DataFrame) -> None:
    """What somebody has added to counts may be grouped by."""
    named = counts.assign(campaign="spring")
    assert named.engagement.engagement_rate(by="campaign")["campaign"].to_list() == ["spring"]


def test_help_is_the_function_s(counts: pd.DataFrame) -> None:
    """In a notebook, ``?`` tells of the metric and not of the accessor."""
    assert counts.engagement.half_life.__doc__ == ep.half_life.__doc__
