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
from engagement_pandas.plots.page_theme import INK, PAGE_INK, figure_element


@pytest.fixture(autouse=True)
def _own_settings() -> Iterator[None]:
    """Restore matplotlib's settings after a test."""
    with mpl.rc_context():
        yield


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Run an IPython shell, as a notebook's kernel does."""
    # A shell replaces the module __main__, which would remain replaced.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    ipython_shell = InteractiveShell()
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: ipython_shell)
    yield ipython_shell
    ipython_shell.atexit_operations()
    atexit.unregister(ipython_shell.atexit_operations)


@pytest.mark.slow
def test_texts_have_the_colour_of_the_page(rows: pd.DataFrame) -> None:
    """No text is black or has the placeholder's colour, and there is no background."""
    ep.follow_theme()
    element = figure_element(ep.plot_over_time(rows).figure)
    styles = re.findall(r"<text[^>]*style=\"([^\"]*)\"", element)
    assert len(styles) > 5
    assert all(f"fill: {PAGE_INK}" in style for style in styles)
    assert INK not in element
    assert "fill: #ffffff" not in element


@pytest.mark.slow
def test_black_lines_have_the_colour_of_the_page(hourly: Any) -> None:
    """A dark page would hide black, one of seven colours."""
    ep.follow_theme()
    counts = hourly(*[(str(n), "impressions", "2026-03-01", 5, n) for n in range(1, 8)])
    element = figure_element(ep.plot_over_time(counts, by="post_id").figure)
    assert "stroke: #000000" not in element
    assert "fill: #000000" not in element


@pytest.mark.slow
def test_a_figure_has_a_description(rows: pd.DataFrame) -> None:
    """It is for screen readers, and escaped."""
    ep.follow_theme()
    ax = ep.plot_over_time(rows)
    ax.set_title('<b>"Our week"</b>')
    assert 'role="img" aria-label="&lt;b&gt;&quot;Our week&quot;&lt;/b&gt;; counts per hour' in (
        figure_element(ax.figure)
    )


def test_the_maximum_width_is_that_of_the_figure() -> None:
    """Three inches are 216 points."""
    assert 'style="max-width: 216pt"' in figure_element(Figure(figsize=(3, 2)))


@pytest.mark.slow
def test_a_notebook_shows_the_html(shell: Any) -> None:
    """A PNG remains for programs that show no HTML."""
    ep.follow_theme()
    figure = plt.figure()
    assert shell.display_formatter.format(figure)[0]["text/html"].startswith("<div style=")


def test_a_script_has_the_settings_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs without IPython."""
    monkeypatch.delitem(sys.modules, "IPython")
    ep.follow_theme()
    assert mpl.rcParams["text.color"] == INK
    assert plt.get_fignums() == []


def test_labels_outside_the_figure_widen_the_element(rows: pd.DataFrame) -> None:
    """Names of rows may begin left of a user's own figure."""
    figure, ax = plt.subplots(figsize=(3, 2))
    ep.plot_by_type(rows, ax=ax)
    ax.set_ylabel("counts", labelpad=300)
    width = re.search(r"max-width: ([\d.]+)pt", figure_element(figure))
    assert width is not None
    assert float(width[1]) > 3 * 72
