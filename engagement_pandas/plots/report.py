"""A report: one HTML page with the figures, charts and top posts of a period, fit to send."""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from engagement_pandas.errors import EngagementError, FrameError
from engagement_pandas.frame.coercion import as_counts, as_posts
from engagement_pandas.frame.contract import check_omissions
from engagement_pandas.frame.html_cells import LINK, MISSING, TIME
from engagement_pandas.frame.html_page import HtmlPage
from engagement_pandas.metrics.age import made_at
from engagement_pandas.metrics.best_times import best_times
from engagement_pandas.metrics.checks import require_columns, source_meaning
from engagement_pandas.metrics.engagement_rate import engagement_rate
from engagement_pandas.metrics.latest import latest
from engagement_pandas.metrics.period import RANKED, Period, Total, days_of, reason
from engagement_pandas.metrics.time_zones import zone_of
from engagement_pandas.metrics.top_posts import top_posts
from engagement_pandas.plots.axes import percent
from engagement_pandas.plots.best_times import plot_best_times
from engagement_pandas.plots.by_type import plot_by_type
from engagement_pandas.plots.growth import plot_growth
from engagement_pandas.plots.over_time import plot_over_time
from engagement_pandas.plots.svg import figure_html
from engagement_pandas.plots.top_posts import plot_top_posts
from engagement_pandas.plots.versus_previous import plot_versus_previous
from engagement_pandas.text import html_table, pluralize, shortened
from engagement_pandas.vocabulary.omission_reasons import OMISSION_REASONS, OmissionReason

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE: Final = "Engagement report"
PERIOD: Final = "7d"

_CARDS: Final = 4
_TOP: Final = 10
_BARS: Final = 5
_SNIPPET: Final = 140
_NUMBER: Final = 'class="number"'

_STYLE: Final = """
header { border-bottom: 3px solid #0072b2; margin-bottom: 1.2rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .2rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .6rem; break-after: avoid; }
header p { margin: 0 0 .8rem; color: #4a5562; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .8rem;
  margin: 1rem 0; padding: 0; list-style: none; }
.cards li { border: 1px solid #dfe4ea; border-radius: .5rem; padding: .6rem .8rem;
  break-inside: avoid; }
.cards b { display: block; font-size: 1.6rem; line-height: 1.25; }
.cards span { display: block; font-size: .85rem; color: #4a5562; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.words { width: 100%; min-width: 9rem; overflow-wrap: anywhere; }
.below { font-size: .85rem; color: #4a5562; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr));
  gap: 1.2rem 1.6rem; margin: 1rem 0; }
.single { max-width: 40rem; }
.note, dl, .unknown { font-size: .92rem; }
.note, dt { color: #4a5562; }
.unknown { padding-left: 1.2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) { th, td { padding: .35rem .3rem; } table { font-size: .85rem; } }
@media print { .charts { grid-template-columns: 1fr 1fr; } }
"""


def report(  # noqa: PLR0913 - each has a default
    counts: pd.DataFrame,
    posts: pd.DataFrame | None = None,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = TITLE,
    period: str | int = PERIOD,
    tz: str | tzinfo = "UTC",
    omissions: pd.DataFrame | None = None,
) -> HtmlPage:
    """Return a report on a period as one HTML page, and write it to a file.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts of any grouping; of several readings, the latest of each post is used.
    posts : DataFrame, optional
        ``post_id``, and ``text``, ``handle`` or ``created_at`` to describe the posts.
    path : str or path, optional
        File to write, such as ``"week.html"``; an existing one is replaced atomically.
    title : str
        Heading of the page.
    period : str or int
        Length of the period in days: ``"7d"``, ``"4W"``, or a number. The period ends with the
        last day that the counts cover in full, see :func:`versus_previous`. Counts of fewer
        than two periods are reported as one.
    tz : str or tzinfo
        Time zone of the days; any other than UTC needs hourly counts.
    omissions : DataFrame, optional
        As returned by :func:`omissions`; their reasons are listed.

    Returns
    -------
    HtmlPage
        ``str(page)`` is its text, ``page.write(path)`` writes it, and a notebook shows it. It
        has the totals, what they lack, and their change from the period before; charts (SVG);
        the posts with the most engagements in the period, with links; the best time to post,
        if the counts (of all days) have evidence for one; and what is not known. What the counts
        do not allow is left out, with the reason. The page needs no network, runs no script,
        and prints on A4. Texts from outside are escaped.

    Raises
    ------
    FrameError
        If counts, posts or omissions are not tidy, ``created_at`` of posts is not a column of
        times, counts are of several sources, or the period is not a number of days; if the file
        cannot be written.

    See Also
    --------
    to_html : the summary of each post as a table

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"1060976163948904448": {"favorites": "7"}}})
    >>> page = report(counts, title="Our week")
    >>> "<title>Our week</title>" in str(page)
    True
    """
    if isinstance(posts, str | os.PathLike):
        msg = f"posts is {posts!r}, not a frame; pass the file as path={os.fspath(posts)!r}"
        raise FrameError(msg)
    readings = as_counts(counts)
    last = latest(readings) if _repeated(readings) else readings
    require_columns(last)
    if omissions is not None:
        check_omissions(omissions)
    period_counts = Period(last, days_of(period), zone_of(tz))
    page = _page(str(title), _Material(period_counts, readings, _posts(posts), omissions))
    if path is not None:
        page.write(path)
    return page


@dataclass(frozen=True)
class _Material:
    """What a report is made of; ``readings`` are the counts of all retrievals."""

    period: Period
    readings: pd.DataFrame
    posts: pd.DataFrame | None
    omissions: pd.DataFrame | None


def _page(title: str, material: _Material) -> HtmlPage:
    """Return the page: the sections that the counts allow, and the reasons for the others."""
    period = material.period
    sections, unknown = list[str](), list[str]()
    if period.alone:
        unknown.append(f"The change from the period before, because {period.alone}.")
    for heading, section in _sections(material).items():
        try:
            sections.append(f"<section>\n<h2>{heading}</h2>\n{section(material)}\n</section>")
        except EngagementError as error:
            unknown.append(f"{heading}: left out, because {reason(error)}.")
    unknown += _unknown(material)
    parts = "\n".join([*sections, _about(material, unknown)])
    words = html.escape(_what(period))
    header = f'<header>\n<h1 dir="auto">{html.escape(title)}</h1>\n<p>{words}</p>\n</header>'
    return HtmlPage(title, f"{header}\n<main>\n{parts}\n</main>", _STYLE)


def _what(period: Period) -> str:
    """Return the days and the number of posts of the report."""
    ends = period.first_and_last
    days = "Totals"
    if ends is not None:
        first, last = map(_date, ends)
        days = first if first == last else f"{first} to {last}"
    against = "" if period.alone else f", against the {_before(period.days)}"
    posts = pluralize(period.counts["post_id"].nunique(), "post") if _by_post(period.counts) else ""
    return f"{days} ({period.zone}){against}{posts and f'; {posts}'}"


def _figures(material: _Material) -> str:
    """Return the total of each type, its change, and what it lacks."""
    period = material.period
    totals = period.totals
    columns = [("type", "", [html.escape(_word(row.type_name)) for row in totals])]
    columns.append(("total", _NUMBER, [_whole(row.total) for row in totals]))
    if not period.alone:
        columns.append(("change", _NUMBER, [_change(row) for row in totals]))
        before = [_whole(row.previous) for row in totals]
        columns.append((_before(period.days), _NUMBER, before))
    if any(pd.isna(row.missing) or row.missing for row in totals):
        columns.append(("counts missing", _NUMBER, [_lacking(row.missing) for row in totals]))
    unsure = not period.alone and not all(row.complete for row in totals)
    note = (
        '<p class="note">* Counts of one of the two periods are missing, or it is not known '
        "whether any are. The change may be due to that.</p>"
    )
    return _cards(period) + _table(columns) + (note if unsure else "")


def _cards(period: Period) -> str:
    """Return the most important totals in large figures, and the engagement rate."""
    cards = []
    for row in _by_importance(period)[:_CARDS]:
        note = "" if pd.isna(row.change) else f"{_change(row)} from {_whole(row.previous)}"
        cards.append((_word(row.type_name), _whole(row.total), note))
    if period.rated:
        rate = engagement_rate(period.counts, by=None)["rate"].iloc[0]
        shown = MISSING if pd.isna(rate) else percent(rate)
        cards.insert(2, ("engagement rate", shown, "of impressions"))
    items = (
        f"<li><span>{html.escape(name)}</span><b>{value}</b><span>{note}</span></li>"
        for name, value, note in cards[:_CARDS]
    )
    return f'<ul class="cards">{"".join(items)}</ul>'


def _by_importance(period: Period) -> list[Total]:
    """Return the totals, impressions and engagements first, without types that have no counts."""
    shown = [row for row in period.totals if pd.notna(row.total) and row.total] or period.totals
    return sorted(shown, key=lambda row: row.type_name not in RANKED)


def _charts(material: _Material) -> str:
    """Return the charts of the period that the counts allow."""
    period, posts = material.period, material.posts
    drawn: dict[str, Callable[..., Axes]] = {}
    if "day" in period.counts.columns:
        for type_name in dict.fromkeys(["impressions", period.main]):
            part = _of_type(period.counts, type_name)
            if len(part):
                heading = f"{_word(type_name)} over time"
                drawn[heading] = partial(plot_over_time, part, tz=period.zone)
    if period.alone:
        drawn["totals by type"] = partial(plot_by_type, period.counts)
    else:
        most = [row.type_name for row in _by_importance(period) if pd.notna(row.change)][:_BARS]
        main = period.everything[period.everything["engagement_type"].isin(most).to_numpy()]
        drawn["change by type"] = partial(
            plot_versus_previous, main, days=period.days, tz=period.zone
        )
    if _by_post(period.counts):
        drawn["top posts"] = partial(
            plot_top_posts, period.counts, by=period.main, n=_BARS, posts=posts
        )
    figures, notes = list[str](), list[str]()
    for name, draw in drawn.items():
        try:
            figures.append(figure_html(draw, name.capitalize()))
        except EngagementError as error:
            words = html.escape(f"{name.capitalize()}: left out, because {reason(error)}.")
            notes.append(f'<p class="note">{words}</p>')
    return f'<div class="charts">{"".join(figures)}</div>{"".join(notes)}'


def _gained(material: _Material) -> str:
    """Return a chart of what posts gained between readings of their totals."""
    draw = partial(
        plot_growth, material.readings, engagement_type=material.period.main,
        tz=material.period.zone, posts=material.posts,
    )  # fmt: skip
    return f'<div class="single">{figure_html(draw)}</div>'


def _top(material: _Material) -> str:
    """Return the posts with the most counts of the main type, with links."""
    period = material.period
    best = top_posts(period.counts, by=period.main, n=_TOP)
    if not len(best):
        msg = f"no post has a known count of {_word(period.main)}"
        raise FrameError(msg)
    ids = best["post_id"]
    columns = [
        ("", _NUMBER, [f"{rank}." for rank in best["rank"]]),
        ("post", 'class="words"', _posts_shown(ids, material)),
    ]
    columns.append((_word(period.main), _NUMBER, list(map(_whole, best[period.main]))))
    if best["missing"].fillna(1).any():
        columns.append(("counts missing", _NUMBER, list(map(_lacking, best["missing"]))))
    note = ""
    if period.rated:
        rates = engagement_rate(period.counts).set_index("post_id")["rate"].reindex(ids)
        shown = [MISSING if pd.isna(rate) else percent(rate) for rate in rates]
        columns.append(("rate", _NUMBER, shown))
        if (rates > 1).any():
            note = (
                '<p class="note">A rate above 100 % has engagements from impressions that are not '
                "counted, such as those of promoted posts.</p>"
            )
    return _table(columns) + note


def _best_times(material: _Material) -> str:
    """Return the best time to post, of all counts; a map only if there is evidence."""
    period = material.period
    by = "rate" if period.rated else period.main
    if not period.rated and "day" not in period.everything.columns:
        msg = "the counts are totals without a rate"
        raise FrameError(msg)
    times = best_times(period.everything, by=by, tz=period.zone)
    posts = pluralize(int(times["n"].sum()), "post")
    if not (times["verdict"] == "best").any():
        return (
            f"<p>Not enough evidence: of {posts}, no weekday and no hour of posting is better by "
            "more than chance explains. More posts may show one.</p>"
        )
    draw = partial(plot_best_times, period.everything, by=by, tz=period.zone)
    return f'<div class="single">{figure_html(draw, height=4.4)}</div>'


def _sections(material: _Material) -> dict[str, Callable[[_Material], str]]:
    """Return the sections by heading; totals that were read several times have gains."""
    gains = _repeated(material.readings) and "day" not in material.readings.columns
    return {
        "In figures": _figures,
        "Charts": _charts,
        **({"Gained between readings": _gained} if gains else {}),
        "Top posts": _top,
        "Best time to post": _best_times,
    }


def _unknown(material: _Material) -> Iterator[str]:
    """Yield what the report does not know, in sentences."""
    period, posts = material.period, material.posts
    lacks = [row for row in period.totals if pd.isna(row.missing) or row.missing]
    if lacks:
        some = ", ".join(f"{_lacking(row.missing)} of {_word(row.type_name)}" for row in lacks)
        yield f"Counts that the totals lack: {some}. A missing count is not zero."
    yield from period.partial_edges()
    if posts is not None and _by_post(period.everything):
        without = ~posts["post_id"].isin(period.everything["post_id"].unique())
        if without.any():
            listed = pluralize(len(posts), "listed post")
            yield f"{int(without.sum()):,} of {listed} without any count here."
    if material.omissions is not None:
        later = material.omissions["reason"] != str(OmissionReason.NOT_YET_POSTED)
        for name, rows in material.omissions[later].groupby("reason", observed=True):
            meaning = OMISSION_REASONS[OmissionReason(str(name))]
            yield f"Counts of {pluralize(rows['post_id'].nunique(), 'post')}: {meaning}."


def _about(material: _Material, unknown: Sequence[str]) -> str:
    """Return what is not known of the counts, and where they are from."""
    facts = {"source": _source(material.readings), "time zone": str(material.period.zone)}
    if read := _read_times(material.readings):
        facts["read"] = read
    terms = "".join(f"<dt>{name}</dt><dd>{html.escape(fact)}</dd>" for name, fact in facts.items())
    items = "".join(f"<li>{html.escape(fact)}</li>" for fact in unknown)
    return (
        "<section>\n<h2>What is not known</h2>\n"
        f'<ul class="unknown">{items or "<li>Nothing is missing in these counts.</li>"}</ul>\n'
        f"</section>\n<section>\n<h2>About these counts</h2>\n<dl>{terms}</dl>\n</section>"
    )


def _source(counts: pd.DataFrame) -> str:
    if "source" in counts.columns:
        return "; ".join(source_meaning(str(name)) for name in counts["source"].dropna().unique())
    endpoint = counts.attrs.get("endpoint")
    return f"X's Engagement API, /{endpoint}" if endpoint else "not stated by the counts"


def _read_times(counts: pd.DataFrame) -> str:
    """Return when counts were read, if they state it."""
    moments = counts.get("retrieved_at", pd.Series(dtype="datetime64[us, UTC]")).dropna()
    given = counts.attrs.get("retrieved_at")
    ends = [moments.min(), moments.max()] if len(moments) else []
    if not ends and given is not None:
        ends = [pd.to_datetime(given, utc=True)]
    shown = dict.fromkeys(f"{moment:{TIME}}" for moment in ends)
    doubt = ", known to the day" if counts.attrs.get("retrieved_at_known_to") == "day" else ""
    return f"{' to '.join(shown)} (UTC){doubt}" if shown else ""


def _posts(posts: Any) -> pd.DataFrame | None:
    """Check a frame of posts, and keep one row of each."""
    posts = as_posts(posts)
    return None if posts is None else posts.drop_duplicates("post_id", ignore_index=True)


def _named(ids: pd.Series, posts: pd.DataFrame | None, name: str) -> list[str]:
    """Return a text of each post, on one line; empty if there is none."""
    if posts is None or name not in posts.columns:
        return [""] * len(ids)
    known = posts.set_index("post_id")[name].reindex(ids)
    return [" ".join(text.split()) if isinstance(text, str) else "" for text in known]


def _made(ids: pd.Series, material: _Material) -> pd.Series:
    """Return the local creation time of each post: that in its ID, or the given one."""
    made, posts = made_at(ids), material.posts
    if posts is not None and "created_at" in posts.columns:
        try:
            times = pd.to_datetime(posts["created_at"], utc=True, format="ISO8601")
        except (ValueError, TypeError) as error:
            msg = f"created_at of posts is not a column of times: {error}; convert or drop it"
            raise FrameError(msg) from error
        given = times.set_axis(posts["post_id"]).reindex(ids)
        made = made.fillna(pd.Series(given.array, made.index))
    local: pd.Series = made.dt.tz_convert(material.period.zone)
    return local


def _posts_shown(ids: pd.Series, material: _Material) -> list[str]:
    """Return the text of each post as a link to it, with its date and account below."""
    words, handles = (_named(ids, material.posts, name) for name in ("text", "handle"))
    rows = []
    for post, text, handle, made in zip(ids, words, handles, _made(ids, material), strict=True):
        date = "" if pd.isna(made) else _date(made)
        account = f"@{handle.lstrip('@')}" if handle else ""
        parts = [f"<bdi>{html.escape(part)}</bdi>" for part in (date, account) if part]
        below = f'<span class="below">{", ".join(parts)}</span>' if parts else ""
        rows.append(f'<div dir="auto">{_linked(post, text)}</div>{below}')
    return rows


def _linked(post: str, words: str) -> str:
    """Return the text of a post as a link to it."""
    text = shortened(words, _SNIPPET) or f"Post {post}"
    return f'<a href="{LINK.format(post)}">{html.escape(text)}</a>'


def _table(columns: Sequence[tuple[str, str, Sequence[str]]]) -> str:
    """Return a table of columns: heading, attributes and cells, which are HTML already."""
    headings, marks, cells = zip(*columns, strict=True)
    table = html_table(headings, zip(*cells, strict=True), attributes=marks)
    return f'<div class="wide" tabindex="0">{table}</div>'


def _by_post(counts: pd.DataFrame) -> bool:
    return "post_id" in counts.columns


def _repeated(counts: pd.DataFrame) -> bool:
    """Return whether counts are of several readings of posts."""
    return {"post_id", "retrieved_at"} <= set(counts.columns)


def _of_type(counts: pd.DataFrame, type_name: str) -> pd.DataFrame:
    return counts[(counts["engagement_type"] == type_name).to_numpy()]


def _before(days: int) -> str:
    return "day before" if days == 1 else f"{days} days before"


def _date(moment: pd.Timestamp) -> str:
    return f"{moment.day} {moment:%b %Y}"


def _word(type_name: str) -> str:
    return type_name.replace("_", " ")


def _whole(number: Any) -> str:
    return MISSING if pd.isna(number) else f"{int(number):,}"


def _lacking(number: Any) -> str:
    return "not known" if pd.isna(number) else f"{int(number):,}"


def _change(row: Total) -> str:
    """Return the change of a total; a star marks incomplete periods."""
    if pd.isna(row.change):
        return MISSING
    sign = "+" if row.change > 0 else ""
    return f"{sign}{percent(float(row.change))}{'' if row.complete else ' *'}"
