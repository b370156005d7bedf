"""ipywidgets' controls as explorers use them: named, side by side where there is room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

import ipywidgets

LABEL: Final = "7.5em"
"""The width of a control's name."""

INDENT: Final = f"calc({LABEL} + 8px)"
"""Where the controls themselves begin."""

LEAST: Final = "320px"
"""The least width of a column: two beside each other on a page of 760 px, one on less."""


def control(kind: Callable[..., ipywidgets.Widget], name: str, **traits: Any) -> ipywidgets.Widget:
    """Return a control with its name, as wide as there is room."""
    return kind(
        description=name,
        style={"description_width": LABEL},
        layout={"width": "auto", "margin": "2px 4px", "min_width": "0"},
        **traits,
    )


def button(name: str, tooltip: str, **traits: Any) -> ipywidgets.Button:
    """Return a button as wide as its words."""
    return ipywidgets.Button(
        description=name, tooltip=tooltip, layout={"width": "auto", "margin": "2px 4px"}, **traits
    )


def side_by_side(*children: ipywidgets.Widget, least: str = LEAST) -> ipywidgets.Box:
    """Return controls side by side, in columns of one width; below each other on a small page."""
    grid = f"repeat(auto-fill, minmax(min({least}, 100%), 1fr))"
    return ipywidgets.Box(
        children,
        layout={"display": "grid", "grid_template_columns": grid, "align_items": "flex-start"},
    )


def line(*children: ipywidgets.Widget, indent: str = "0") -> ipywidgets.Box:
    """Return small things one after the other."""
    return ipywidgets.Box(
        children,
        layout={"flex_flow": "row wrap", "align_items": "center", "margin": f"0 0 0 {indent}"},
    )


@cache
def zones() -> tuple[str, ...]:
    """Return the time zones there are, ``UTC`` first.

    Examples
    --------
    >>> zones()[0], "Europe/Berlin" in zones()
    ('UTC', True)
    """
    places = sorted(
        zone
        for zone in available_timezones()
        if "/" in zone and not zone.startswith(("Etc/", "SystemV/", "posix/", "right/"))
    )
    return "UTC", *places


def offer(choice: ipywidgets.Dropdown, pairs: Sequence[tuple[str, str]]) -> None:
    """Offer other options, and keep what is chosen where it is still among them."""
    wanted = tuple(pairs)
    if tuple(choice.options) == wanted:
        return
    kept = choice.value
    choice.options = wanted
    values = [value for _, value in wanted]
    choice.value = kept if kept in values else values[0]
