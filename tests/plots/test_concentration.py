"""The plot of the share of the counts that the top posts have."""

from __future__ import annotations

import pytest

import engagement_pandas as ep
from engagement_pandas.plots import plot_concentration


@pytest.mark.parametrize(
    ("posts", "words"),
    [(3, "the top 10 % of the posts, at least one, have"), (10, "the top 10 % of the posts have")],
)
def test_a_share_of_less_than_one_post_is_that_of_one(posts: int, words: str) -> None:
    """A tenth of 3 posts is no post, so the bar is that of one in three."""
    bodies = {str(number): {"favorites": "5"} for number in range(posts)}
    ax = plot_concentration(ep.flatten_json({"g": bodies}))
    assert " ".join(ax.get_xlabel().split()).endswith(words)
    assert ax.patches[0].get_width() == pytest.approx(1 / posts)  # type: ignore[attr-defined]
