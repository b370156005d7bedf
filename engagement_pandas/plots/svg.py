"""SVG of a figure as part of a page, and its description for screen readers."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from engagement_pandas.plots.legend_and_headline import headline, legend_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GROUP: Final = re.compile(r"""<g id=("[^"]*"|'[^']*')""")
_HEAD: Final = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_SIZE: Final = re.compile(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', re.DOTALL)
_PAGE_WIDE: Final = re.compile(
    r"\s*<metadata>.*?</metadata>|\s*<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL
)
"""Metadata, and a style that would affect all other figures on the page."""


def inline_svg(document: str, gids: Iterable[str] = ()) -> str:
    """Return matplotlib's SVG document as an element that fills the width of its place.

    The ``gid`` of an artist becomes the ``data-gid`` of its group, since an ``id`` would have to
    be unique on the page; matplotlib's own names of groups are dropped.

    >>> inline_svg('<?xml version="1.0"?><svg width="9pt" height="9pt"><g id="7"><g id="x"/></g>',
    ...            gids=["7"])
    '<svg preserveAspectRatio="xMidYMid meet"><g data-gid="7"><g/></g>'
    """
    known = frozenset(gids)
    text = _PAGE_WIDE.sub("", _HEAD.sub("", document, count=1), count=2)
    text = _SIZE.sub(r'\1 preserveAspectRatio="xMidYMid meet"', text, count=1)
    return _GROUP.sub(
        lambda group: f"<g data-gid={group[1]}" if _unquoted(group[1]) in known else "<g", text
    )


def description(ax: Axes) -> str:
    """Return the titles, labels and legend of a plot, on one line.

    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"favorites": "7"}})
    >>> description(ep.plot_by_type(counts))
    'counts'
    """
    if not ax.axison:
        return "; ".join(text.get_text() for text in ax.texts)
    titles = [ax.get_title(loc=side) for side in ("left", "center")]
    parts = [*titles, headline(ax), ax.get_ylabel(), ax.get_xlabel()]
    parts.append(", ".join(legend_names(ax)))
    return "; ".join(" ".join(part.split()) for part in parts if part)


def drawn_gids(ax: Axes) -> tuple[str, ...]:
    """Return the ``gid`` of all artists of a plot, in order: mostly posts and types."""
    gids = (artist.get_gid() for artist in ax.get_children())
    return tuple(dict.fromkeys(str(gid) for gid in gids if gid))


def figure_html(
    draw: Callable[..., Axes], caption: str = "", *, width: float = 5.4, height: float = 3.3
) -> str:
    """Draw a figure with matplotlib's default settings; return it as an element of a page.

    The size is in inches. The text stays text, so that it can be read and searched.

    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"favorites": "7"}})
    >>> figure_html(lambda ax: ep.plot_by_type(counts, ax=ax), "Totals")[:83]
    '<figure><figcaption>Totals</figcaption><svg role="img" aria-label="Totals; counts" '
    """
    import matplotlib as mpl  # noqa: PLC0415 - heavy
    from matplotlib.figure import Figure  # noqa: PLC0415 - heavy

    own = {"svg.fonttype": "none", "svg.hashsalt": caption or "figure", "figure.dpi": 72}
    settings: Any = {**mpl.rcParamsDefault, **own, "backend": mpl.rcParams["backend"]}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(width, height), layout="constrained")
        ax = draw(ax=figure.subplots())
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    label = html.escape("; ".join(part for part in (caption, description(ax)) if part))
    svg = inline_svg(file.getvalue()).replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
    title = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
    return f"<figure>{title}{svg}</figure>"


def _unquoted(attribute: str) -> str:
    return html.unescape(attribute[1:-1])
