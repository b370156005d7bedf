"""The accessor ``counts.engagement`` has the functions with counts as the first argument."""

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
    """Return one hour of a post."""
    return ep.flatten_json(BODY)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_each_method_is_a_function_of_counts(counts: pd.DataFrame, name: str) -> None:
    """It exists in the package, and the accessor passes the counts first."""
    function = getattr(ep, name)
    assert next(iter(inspect.signature(function).parameters)) in {"counts", "a"}
    method = getattr(counts.engagement, name)
    assert (method.func, method.args[0] is counts) == (function, True)


def test_a_method_has_the_result_of_the_function(counts: pd.DataFrame) -> None:
    """Arguments are passed on."""
    expected = ep.engagement_rate(counts, by=None)
    pd.testing.assert_frame_equal(counts.engagement.engagement_rate(by=None), expected)


def test_a_filtered_frame_has_the_accessor(counts: pd.DataFrame) -> None:
    """A slice of counts is valid."""
    impressions = counts[counts["engagement_type"] == "impressions"]
    assert impressions.engagement.timestamps().iloc[0] == pd.Timestamp("2026-03-01T07:00:00Z")


def test_other_frames_have_no_accessor(counts: pd.DataFrame) -> None:
    """The error names the column; ``dir`` and ``hasattr`` do not raise it."""
    other = counts.astype({"post_id": "float64"})
    with pytest.raises(ep.FrameError, match="'post_id' in row 0 is"):
        _ = other.engagement
    assert not hasattr(other, "engagement")
    assert "engagement" not in dir(other)


def test_completion_lists_the_methods(counts: pd.DataFrame) -> None:
    """The error for an unknown name has the valid ones."""
    assert dir(counts.engagement) == sorted(METHODS)
    with pytest.raises(AttributeError, match=r"choose from .*'half_life'"):
        _ = counts.engagement.half_lives


def test_additional_columns_are_keys(counts: pd.DataFrame) -> None:
    """The user may group by them."""
    with_campaign = counts.assign(campaign="spring")
    assert with_campaign.engagement.engagement_rate(by="campaign")["campaign"].to_list() == [
        "spring"
    ]


def test_the_docstring_is_that_of_the_function(counts: pd.DataFrame) -> None:
    """In a notebook, ``?`` shows it."""
    assert counts.engagement.half_life.__doc__ == ep.half_life.__doc__
