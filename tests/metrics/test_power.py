"""How large a difference a number of posts can show."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.simulated import MARCH, totals

from engagement_pandas import FrameError
from engagement_pandas.metrics import power


def posts(number: int = 40, spread: float = 1.0) -> pd.DataFrame:
    """Make posts whose log counts have a standard deviation of ``spread``."""
    rng = np.random.default_rng(1)
    logs = rng.normal(size=number)
    logs = (logs - logs.mean()) / logs.std(ddof=1)
    sizes = np.expm1(8 + spread * logs).round()
    rates = 0.03 * np.exp(0.3 * rng.normal(size=number))
    made = MARCH + np.arange(number) * 1000
    return totals(made, {"impressions": sizes, "engagements": (sizes * rates).round()})


def test_by_hand() -> None:
    """The textbook: 16 times the variance over the squared difference, in each set."""
    row = power(posts(), by="impressions", at=None, effect=np.e).iloc[0]
    assert row["spread"] == pytest.approx(1, rel=0.001)
    # 2 * (1.96 + 0.84) ** 2 = 15.7, and 1.96 ** 2 / 4 for the t distribution
    assert row["n"] == 17
    assert row["power"] == 0.8


def test_effect_and_number_are_inverse() -> None:
    """The posts needed for the detectable effect are the posts that there are."""
    row = power(posts(), by="impressions", at=None, n=30).iloc[0]
    again = power(posts(), by="impressions", at=None, effect=row["effect"]).iloc[0]
    assert again["n"] == 30
    both = power(posts(), by="impressions", at=None, n=30, effect=row["effect"]).iloc[0]
    assert both["power"] == pytest.approx(0.8, abs=0.002)


def test_a_ratio_and_its_inverse_are_alike() -> None:
    """Half as much takes as many posts as twice as much."""
    found = [
        power(posts(), by="impressions", at=None, effect=effect)["n"].item() for effect in (2, 0.5)
    ]
    assert found[0] == found[1]


def test_of_a_rate() -> None:
    """A difference of rates, and half of the posts in each set by default."""
    row = power(posts(), at=None).iloc[0]
    assert row[["by", "statistic"]].to_list() == ["rate", "rate"]
    assert row["n"] == 20
    assert 0 < row["effect"] < 0.03


def test_too_few_posts() -> None:
    """Four posts have no known spread."""
    row = power(posts(4), by="impressions", at=None).iloc[0]
    assert row[["spread", "n", "effect", "power"]].isna().all()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"effect": 1}, "is no difference"),
        ({"effect": -2}, "effect is -2"),
        ({"n": 2}, "n is 2"),
        ({"statistic": "mode"}, "statistic is 'mode'"),
    ],
)
def test_refused(asked: dict[str, float], words: str) -> None:
    """No difference is never found; a set needs five posts."""
    with pytest.raises(FrameError, match=words):
        power(posts(), by="impressions", at=None, **asked)


def test_a_tiny_effect_needs_as_many_posts_as_it_needs() -> None:
    """No limit is reported as the answer: the number grows with the square of 1 / effect."""
    few, many = (
        power(posts(), by="impressions", at=None, effect=1 + step)["n"].iloc[0]
        for step in (1e-3, 1e-4)
    )
    assert many / few == pytest.approx(100, rel=0.01)
