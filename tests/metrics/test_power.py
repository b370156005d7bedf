"""The difference that a number of posts can detect."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.simulated import MARCH, totals

from engagement_pandas import FrameError
from engagement_pandas.metrics import power


def posts(number: int = 40, spread: float = 1.0) -> pd.DataFrame:
    """Return posts whose log counts have a standard deviation of ``spread``."""
    rng = np.random.default_rng(1)
    logs = rng.normal(size=number)
    logs = (logs - logs.mean()) / logs.std(ddof=1)
    sizes = np.expm1(8 + spread * logs).round()
    rates = 0.03 * np.exp(0.3 * rng.normal(size=number))
    created = MARCH + np.arange(number) * 1000
    return totals(created, {"impressions": sizes, "engagements": (sizes * rates).round()})


def test_the_number_of_posts_matches_the_textbook() -> None:
    """It is 16 times the variance over the squared difference, in each set."""
    row = power(posts(), by="impressions", at=None, effect=np.e).iloc[0]
    assert row["spread"] == pytest.approx(1, rel=0.001)
    # 2 * (1.96 + 0.84) ** 2 = 15.7, and 1.96 ** 2 / 4 for the t distribution
    assert row["n"] == 17
    assert row["power"] == 0.8


def test_effect_and_number_are_inverse() -> None:
    """The number of posts for the detectable effect is the original number."""
    row = power(posts(), by="impressions", at=None, n=30).iloc[0]
    again = power(posts(), by="impressions", at=None, effect=row["effect"]).iloc[0]
    assert again["n"] == 30
    both = power(posts(), by="impressions", at=None, n=30, effect=row["effect"]).iloc[0]
    assert both["power"] == pytest.approx(0.8, abs=0.002)


def test_a_ratio_and_its_inverse_need_equal_numbers() -> None:
    """Half the counts need as many posts as twice the counts."""
    needed = [
        power(posts(), by="impressions", at=None, effect=effect)["n"].item() for effect in (2, 0.5)
    ]
    assert needed[0] == needed[1]


def test_rates_have_a_difference() -> None:
    """By default each set has half of the posts."""
    row = power(posts(), at=None).iloc[0]
    assert row[["by", "statistic"]].to_list() == ["rate", "rate"]
    assert row["n"] == 20
    assert 0 < row["effect"] < 0.03


def test_too_few_posts_have_no_power() -> None:
    """Four posts have no known spread."""
    row = power(posts(4), by="impressions", at=None).iloc[0]
    assert row[["spread", "n", "effect", "power"]].isna().all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"effect": 1}, "is not a difference"),
        ({"effect": -2}, "effect is -2"),
        ({"n": 2}, "n is 2"),
        ({"statistic": "mode"}, "statistic is 'mode'"),
    ],
)
def test_invalid_arguments_are_refused(arguments: dict[str, float], words: str) -> None:
    """A ratio of 1 is never detected; a set needs five posts."""
    with pytest.raises(FrameError, match=words):
        power(posts(), by="impressions", at=None, **arguments)


def test_the_number_of_posts_has_no_limit() -> None:
    """It grows with the square of 1 / effect."""
    few, many = (
        power(posts(), by="impressions", at=None, effect=1 + step)["n"].iloc[0]
        for step in (1e-3, 1e-4)
    )
    assert many / few == pytest.approx(100, rel=0.01)


def test_posts_that_are_all_alike_have_no_power() -> None:
    """Posts without any impressions do not show how posts with some would differ."""
    counts = posts(20)
    counts["count"] = pd.array([0] * len(counts), dtype="Int64")
    row = power(counts, by="impressions", at=None).iloc[0]
    assert row["posts"] == 20
    assert row[["spread", "n", "effect", "power"]].isna().all()


def test_one_post_has_no_power() -> None:
    """No spread is computed, so there is no warning either."""
    assert power(posts(40).head(1), by="impressions", at=None)["spread"].isna().all()
