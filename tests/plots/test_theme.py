"""Figures of a notebook in the colours of its page."""

from __future__ import annotations

import atexit
import re
import sys
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.figure import Figure

import engagement_pandas as ep
from engagement_pandas.plots.theme import INK, PAGE_INK, figure_element


@pytest.fixture(autouse=True)
def _own_settings() -> Iterator[None]:
    """Undo what a test changes of matplotlib's settings."""
    with mpl.rc_context():
        yield


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Run an IPython shell, as a notebook's kernel does."""
    # A shell puts a module of its own in the place of __main__, which would stay there.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    made = InteractiveShell()
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: made)
    yield made
    made.atexit_operations()
    atexit.unregister(made.atexit_operations)


@pytest.mark.slow
def test_text_and_axes_have_the_colour_of_the_page(rows: pd.DataFrame) -> None:
    """No text is black, or has the placeholder's colour, and there is no background."""
    ep.follow_theme()
    element = figure_element(ep.plot_over_time(rows).figure)
    styles = re.findall(r"<text[^>]*style=\"([^\"]*)\"", element)
    assert len(styles) > 5
    assert all(f"fill: {PAGE_INK}" in style for style in styles)
    assert INK not in element
    assert "fill: #ffffff" not in element


@pytest.mark.slow
def test_a_black_line_has_it_too(hourly: Any) -> None:
    """Seven posts have black among their colours, which could not be seen on a dark page."""
    ep.follow_theme()
    counts = hourly(*[(str(n), "impressions", "2026-03-01", 5, n) for n in range(1, 8)])
    element = figure_element(ep.plot_over_time(counts, by="post_id").figure)
    assert "stroke: #000000" not in element
    assert "fill: #000000" not in element


@pytest.mark.slow
def test_its_description(rows: pd.DataFrame) -> None:
    """The text of a figure is there for screen readers, escaped."""
    ep.follow_theme()
    ax = ep.plot_over_time(rows)
    ax.set_title('<b>"Our week"</b>')
    assert 'role="img" aria-label="&lt;b&gt;&quot;Our week&quot;&lt;/b&gt;; counts per hour' in (
        figure_element(ax.figure)
    )


def test_it_is_at_most_as_wide_as_the_figure() -> None:
    """Three inches are 216 points."""
    assert 'style="max-width: 216pt"' in figure_element(Figure(figsize=(3, 2)))


@pytest.mark.slow
def test_a_notebook_shows_figures_so(shell: Any) -> None:
    """Beside PNG, for programs that show no HTML."""
    ep.follow_theme()
    figure = plt.figure()
    assert shell.display_formatter.format(figure)[0]["text/html"].startswith("<div style=")


def test_outside_a_notebook_only_settings_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that was a notebook runs without IPython."""
    monkeypatch.delitem(sys.modules, "IPython")
    ep.follow_theme()
    assert mpl.rcParams["text.color"] == INK
    assert plt.get_fignums() == []


def test_labels_outside_of_the_figure_are_in_the_element(rows: pd.DataFrame) -> None:
    """On a user's own figure, row names may begin left of it: the element is wider then."""
    figure, ax = plt.subplots(figsize=(3, 2))
    ep.plot_by_type(rows, ax=ax)
    ax.set_ylabel("counts", labelpad=300)
    width = re.search(r"max-width: ([\d.]+)pt", figure_element(figure))
    assert width is not None
    assert float(width[1]) > 3 * 72
