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


def test_a_small_mean_is_not_rounded_to_zero() -> None:
    """One like and five reposts of three posts; the impressions are whole numbers."""
    bodies = {
        "7": {"favorites": "1", "retweets": "4", "impressions": "1102"},
        "8": {"favorites": "0", "retweets": "1", "impressions": "551"},
        "9": {"favorites": "0", "retweets": "0", "impressions": "0"},
    }
    labels = [text.get_text() for text in plot_concentration(ep.flatten_json({"g": bodies})).texts]
    assert labels == [
        "66.7 %; median 551, mean 551",
        "100 %; median 0, mean 0.33",
        "80 %; median 1, mean 1.7",
    ]
