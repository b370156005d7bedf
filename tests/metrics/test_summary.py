"""Summaries with one row per post, and their HTML."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.simulated import HOUR_MS, MARCH, hourly, id_at, tidy

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.frame.contract import TEXT, dtype_name
from engagement_pandas.metrics import (
    engagement_rate,
    half_life,
    standing,
    summarise,
    to_html,
)

POST = id_at("2026-03-01T05:45:00Z")
HOSTILE = '<script>alert("$x$ & more")</script> https://x.com" onmouseover="f() 🥐 مرحبا'


class Page(HTMLParser):
    """Collect tags, links and texts, as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str | None] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record a tag."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        """Record a text."""
        self.texts.append(data)


@pytest.mark.slow
def test_a_summary_has_one_row_per_post() -> None:
    """Times, sums, rates, half-lives and percentiles are those of the metrics."""
    rng = np.random.default_rng(1)
    created = np.sort(MARCH + rng.integers(0, 24 * HOUR_MS, 9))
    counts = hourly(created, {"impressions": 900, "engagements": 40}, rng)
    frame = summarise(counts).set_index("post_id")
    assert frame.index.is_monotonic_increasing
    rates = engagement_rate(counts).set_index("post_id")
    impressions = counts[counts["engagement_type"] == "impressions"]
    half_lives = half_life(impressions).set_index("post_id")
    ranks = standing(impressions).set_index("post_id")
    for post, row in frame.iterrows():
        assert row["created_at"] == ep.created_at(str(post))
        assert row["link"] == f"https://x.com/i/web/status/{post}"
        shown = ["rate", "low", "high"]
        assert row[shown].to_list() == rates.loc[post, shown].to_list()
        assert row["half_life"] == half_lives.loc[post, "t50"]
        assert row["age"] == half_lives.loc[post, "age"]
        assert row["percentile"] == ranks.loc[post, "percentile"]
        assert row["n"] == 8
        engagements = counts[
            (counts["post_id"] == post) & (counts["engagement_type"] == "engagements")
        ]
        assert row["engagements"] == sum(engagements["count"])


def test_columns_have_the_documented_dtypes() -> None:
    """A summary is ready for a report, and typed."""
    counts = tidy([(POST, "impressions", "2026-03-01", 5, 3)])
    assert summarise(counts).dtypes.map(dtype_name).to_dict() == {
        "post_id": "str",
        "link": "str",
        "created_at": "datetime64[us, UTC]",
        "age": "Float64",
        "impressions": "Int64",
        "missing": "Int64",
        "rate": "Float64",
        "low": "Float64",
        "high": "Float64",
        "half_life": "Float64",
        "why_not": "category",
        "percentile": "Float64",
        "percentile_age": "Float64",
        "n": "Int64",
    }


def test_posts_without_counts_have_a_row(bakery: Any) -> None:
    """It has the values of the ID and of the frame of posts."""
    frame = summarise(bakery.totals, posts=bakery.posts).set_index("post_id")
    assert set(frame.index) == set(bakery.posts["post_id"])
    texts = bakery.posts.set_index("post_id")["text"]
    assert (frame["text"] == texts.reindex(frame.index)).all()
    without_counts = frame.loc[~frame.index.isin(bakery.totals["post_id"])]
    assert len(without_counts)
    assert without_counts[["impressions", "rate"]].isna().all(axis=None)
    assert frame["created_at"].notna().all()


@pytest.mark.slow
def test_a_summary_may_be_of_another_type() -> None:
    """Half-life and percentile are of that type; daily counts have no half-life."""
    rng = np.random.default_rng(2)
    created = MARCH + rng.integers(0, 24 * HOUR_MS, 8)
    counts = hourly(created, {"impressions": 900, "favorites": 60}, rng, half_life=1.0)
    frame = summarise(counts, engagement_type="favorites", numerator="favorites")
    likes = half_life(counts[counts["engagement_type"] == "favorites"])
    assert frame["half_life"].to_list() == likes["t50"].to_list()
    keys = ["post_id", "engagement_type", "day"]
    daily = counts.groupby(keys, observed=True)["count"].sum().reset_index()
    assert "half_life" not in summarise(daily)
    with pytest.raises(FrameError, match="no engagement type 'zaps'"):
        summarise(counts, engagement_type="zaps")


def test_posts_may_be_links() -> None:
    """A link means its post; the same post as an ID and as a link is a duplicate."""
    counts = tidy([(POST, "impressions", "2026-03-01", 5, 1)])
    link = f"https://twitter.com/anna/status/{POST}"
    posts = pd.DataFrame({"post_id": [link], "handle": ["anna"]})
    assert summarise(counts, posts=posts)[["post_id", "handle"]].to_numpy().tolist() == [
        [POST, "anna"]
    ]
    with pytest.raises(FrameError, match="have a post twice"):
        summarise(counts, posts=pd.DataFrame({"post_id": [link, POST]}))


def test_hostile_texts_are_escaped() -> None:
    """Texts of posts stay text, also in pandas' to_html."""
    counts = tidy([(POST, "impressions", "2026-03-01", 5, 1234)])
    posts = pd.DataFrame({"post_id": [POST], "handle": ["<b>a</b>"], "text": [HOSTILE]})
    frame = summarise(counts, posts=posts)
    page = Page()
    page.feed(to_html(frame))
    assert page.tags == {"table", "thead", "tbody", "tr", "th", "td", "a"}
    assert page.attributes == {"scope", "style", "dir", "href", "target", "rel"}
    assert page.links == [f"https://x.com/i/web/status/{POST}"]
    assert HOSTILE in page.texts
    assert "1,234" in page.texts
    plain = Page()
    plain.feed(frame.to_html())
    assert "script" not in plain.tags


def test_headings_have_units() -> None:
    """An unknown value is a dash instead of nan."""
    rng = np.random.default_rng(3)
    created = MARCH + rng.integers(0, 24 * HOUR_MS, 7)
    counts = hourly(created, {"impressions": 900, "engagements": 40}, rng)
    posts = pd.DataFrame({"post_id": [POST], "text": ["no counts"]})
    text = to_html(summarise(counts, posts=posts))
    assert "nan" not in text.lower().replace("<na>", "nan")
    for heading in ("made (UTC)", "age (h)", "half-life (h)", "rate, from"):
        assert f">{heading}</th>" in text
    assert text.count("<tr>") == 9
    assert "–" in text  # noqa: RUF001  a dash, not a minus


def test_unusual_columns_are_escaped() -> None:
    """Additional columns and names with brackets are escaped as well."""
    frame = pd.DataFrame({"post_id": pd.Series([POST], dtype=TEXT), "<i>": ["<u>"], "x_y": [1.5]})
    text = to_html(frame)
    assert "&lt;i&gt;" in text
    assert "&lt;u&gt;" in text
    assert "x y" in text


@pytest.mark.parametrize(
    ("posts", "words"),
    [
        (pd.DataFrame({"id": ["1"]}), "post_id"),
        (pd.DataFrame({"post_id": [1.5]}), "a float"),
        (pd.DataFrame({"post_id": [POST, POST]}), "twice"),
        ([POST], "post_id"),
    ],
)
def test_unsuitable_posts_are_refused(posts: Any, words: str) -> None:
    """Posts without IDs, with numbers as IDs, or duplicates."""
    with pytest.raises(FrameError, match=words):
        summarise(tidy([(POST, "impressions", "2026-03-01", 5, 1)]), posts=posts)


def test_a_frame_without_ids_has_no_html() -> None:
    """The error has the invalid ID."""
    with pytest.raises(FrameError, match="no column 'post_id'"):
        to_html(pd.DataFrame({"a": [1]}))
    with pytest.raises(FrameError, match="not a post ID"):
        to_html(pd.DataFrame({"post_id": ["<script>"]}))


@pytest.mark.slow
def test_a_file_is_a_complete_page(tmp_path: Path) -> None:
    """It has the table only, in UTF-8, and is replaced when complete."""
    counts = tidy([(POST, "impressions", "2026-03-01", 5, 1234)])
    posts = pd.DataFrame({"post_id": [POST], "text": ["caf\N{LATIN SMALL LETTER E WITH ACUTE}"]})
    target = tmp_path / "posts.html"
    table = to_html(summarise(counts, posts=posts), target)
    text = target.read_text(encoding="utf-8")
    assert text.startswith('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">')
    assert f'<div class="wide" tabindex="0">{table}</div>' in text
    with pytest.raises(FrameError, match="cannot be written"):
        to_html(summarise(counts), tmp_path)


def test_a_type_that_the_counts_lack_is_refused() -> None:
    """Without it, no post would have a half-life, and no reason either."""
    counts = tidy([("1", "impressions", "2026-03-01", 5, 100)])
    with pytest.raises(FrameError, match="counts have no 'favorites', only"):
        summarise(counts, engagement_type="favorites")
