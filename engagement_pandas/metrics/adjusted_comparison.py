"""Compare accounts, tags or kinds of posts, adjusted for size, hour of the day and weekday."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts, as_posts
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.frame.number_checks import is_number, whole_number
from engagement_pandas.metrics.age import made_hour
from engagement_pandas.metrics.best_times import thread_numbers
from engagement_pandas.metrics.checks import filter_types, known_type, require_columns
from engagement_pandas.metrics.cluster_robust import Contrasts, Floats, Regression
from engagement_pandas.metrics.compare import AT, POWER, holm, holm_steps, totals
from engagement_pandas.metrics.comparison_text import OTHERS, finding
from engagement_pandas.metrics.intervals import CONFIDENCE, z_of
from engagement_pandas.metrics.permutation_test import HOURS_OF_DAY
from engagement_pandas.metrics.post_columns import look_up
from engagement_pandas.metrics.resampling import MINIMUM
from engagement_pandas.metrics.time_zones import local_hours, zone_of
from engagement_pandas.text import format_list, truncated_repr

ACCOUNT: Final = "handle"
SIZE: Final = "followers"

ACCOUNTS: Final = 5
"""With fewer accounts, how counts grow with an account's size cannot be estimated."""

_PAIR: Final = 2
_SAME: Final = 1e-9

TOO_FEW: Final = "too few threads to compare"
NOT_ALIKE: Final = "no other posts at its hours and weekdays"

_APART: Final = (
    "no values of {!r} have enough posts at the same hours and weekdays: adjusting for these takes "
    "{} numbers; give more posts, or see compare()"
)

_COLUMNS: Final[dict[str, Any]] = {
    **dict.fromkeys(["group", "against", "of"], TEXT),
    **dict.fromkeys(["at", "ratio", "low", "high", "p"], "Float64"),
    "differs": "boolean",
    **dict.fromkeys(["detectable", "unadjusted", "exponent"], "Float64"),
    **dict.fromkeys(["adjusted_for", "finding"], TEXT),
    **dict.fromkeys(["n", "threads", "left_out"], "int64"),
}


def adjusted_comparison(  # noqa: PLR0913  each has a default
    counts: pd.DataFrame,
    posts: pd.DataFrame | None = None,
    *,
    by: str = ACCOUNT,
    of: str = "impressions",
    size: str | None = SIZE,
    exponent: float | None = None,
    at: float | None = AT,
    tz: str = "UTC",
    minimum: int = MINIMUM,
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Compare accounts or tags at the same size, hour of the day and weekday.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id``, of all posts to be compared.
    posts : DataFrame, optional
        Frame with ``post_id`` and the columns that the counts lack.
    by : str
        Column of ``posts`` or the counts: ``"handle"`` for accounts; or tags, kinds or any
        other property of posts. A post may have several values: several rows, or a list.
    of : str
        Engagement type that is compared.
    size : str, optional
        Column with the size of each account. It is used if accounts are compared. Anything
        else is compared within accounts: each account (``handle``, if there is such a
        column) has a level of its own. None does not adjust for size.
    exponent : float, optional
        Counts grow with this power of the size: 1 compares counts per follower. By default it
        is estimated from the other accounts, which takes 5 accounts.
    at : float or None
        Hours since each post was created; None uses all counts, whatever the posts' ages.
    tz : str
        Time zone of the hours and weekdays.
    minimum : int
        Minimum number of threads of a group. Accounts or kinds with fewer are set aside; tags
        with fewer are disregarded.
    confidence : float
        Of the interval.

    Returns
    -------
    DataFrame
        One row per group, sorted by name, or one row for two groups that are compared with
        each other: ``group`` and ``against`` (``str``: *the others* are all other accounts, or
        the posts without the tag); ``of`` (``str``); ``at`` (``Float64``, hours); ``ratio``
        (``Float64``: the typical post of the group over that of the others, adjusted; 1 is
        added to each count); ``low`` and ``high`` (``Float64``, its interval); ``p``
        (``Float64``); ``differs`` (``boolean``); ``detectable`` (``Float64``: the ratio that
        80 % of such comparisons find); ``unadjusted`` (``Float64``: the ratio without any
        adjustment); ``exponent`` (``Float64``, by which the size was taken into account);
        ``adjusted_for`` (``str``); ``finding`` (``str``, the answer in words); ``n`` and
        ``threads`` (``int64``); ``left_out`` (``int64``, posts whose count at that age, time
        of posting, handle or size is not known). ``p`` is corrected by Holm's method; the
        intervals are those of Holm's steps, and agree with it. ``<NA>`` for a group with too
        few threads, or posted at hours and weekdays at which no other posts were made.

    Raises
    ------
    FrameError
        If no group can be compared; if accounts have no size, or are too few to estimate the
        exponent; for an unknown type or column, or an invalid number.

    See Also
    --------
    compare : sets of posts as they are, which finds smaller differences
    best_times : the effect of the hour itself

    Notes
    -----
    The logarithm of 1 + count is regressed on the groups, the hours of the day and the
    weekdays (analysis of covariance). Posts of one thread, that is of one account in one
    hour, are one cluster: see
    :func:`~engagement_pandas.metrics.cluster_robust.Regression` (Bell and McCaffrey,
    *Survey Methodology* 28, 2002). The effect of a tag is that with the other tags alike.
    Holm: *Scandinavian Journal of Statistics* 6, 1979.

    An account is compared with what the others lead one to expect at its size: a straight line
    through their logarithms. The interval includes that other accounts scatter about the line
    (DerSimonian and Laird, *Controlled Clinical Trials* 7, 1986).

    Do not use it for cause and effect: tags are not given at random, and news, media and
    promotion are not adjusted for. Do not use it for accounts with readers in different time
    zones, whose good hours differ, nor for tags that were used in another period than the rest,
    if the account grew.

    Examples
    --------
    Accounts *a* and *b* are alike, and *c* has twice as much at the same size.

    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {str(2027900000000000000 + (n << 44)):
    ...     {"impressions": str((100 + n % 7) * (2 if n % 3 == 2 else 1))} for n in range(90)}})
    >>> posts = pd.DataFrame({"post_id": counts["post_id"], "followers": 500})
    >>> posts["handle"] = [list("abc")[n % 3] for n in range(90)]
    >>> table = adjusted_comparison(counts, posts, exponent=1, at=None)
    >>> table[["group", "ratio", "differs"]].round(1).values.tolist()
    [['a', 0.7, True], ['b', 0.7, True], ['c', 2.0, True]]
    """
    counts = as_counts(counts)
    require_columns(counts, "post_id")
    posts = as_posts(posts)
    z_of(confidence)
    least = whole_number(minimum, "minimum", _PAIR)
    if exponent is not None and not (is_number(exponent) and np.isfinite(exponent)):
        msg = f"exponent is {exponent!r}; give a number, such as 1 for counts per follower"
        raise FrameError(msg)
    of = known_type(counts, of)
    groups = _groups_of(counts, posts, by)
    size = size if by == ACCOUNT else None
    if exponent is not None and size is None:
        msg = f"exponent is {exponent!r}, of a size that is not adjusted for; leave it out"
        raise FrameError(msg)
    table = _post_table(counts, posts, of, size, at, tz)
    model = _model(table, groups, least, by)
    line = size is not None and exponent is None
    rows = _by_size(model) if line else model.against_the_rest(exponent or 0.0)
    frame = _intervals(model, rows, confidence)
    if frame["p"].isna().all():
        raise FrameError(_APART.format(by, model.covariates))
    frame = _complete(frame, groups, table, least)
    frame["of"], frame["at"] = of, np.nan if at is None else float(at)
    frame["adjusted_for"] = ", ".join([*([size] if size else []), *model.adjusted_for])
    return frame.astype(_COLUMNS)


def _groups_of(counts: pd.DataFrame, posts: pd.DataFrame | None, by: str) -> pd.DataFrame:
    """Return the groups of the counts' posts: ``post_id`` and ``group``, each pair once."""
    source = next((f for f in (counts, posts) if f is not None and by in f.columns), None)
    if source is None or by == "post_id":
        named = [name for f in (counts, posts) if f is not None for name in f.columns]
        there = sorted({*map(str, named)} - {"post_id", "count"})
        msg = f"by is {by!r}; name a column of the counts or of posts=…: {format_list(there)}"
        raise FrameError(msg)
    table = source[["post_id", by]].explode(by).dropna().astype(TEXT).drop_duplicates()
    table = table.rename(columns={by: "group"})
    table = table[table["post_id"].isin(counts["post_id"].astype(TEXT).unique())]
    twice = table["post_id"].duplicated()
    if by == ACCOUNT and twice.any():
        post = table.loc[twice, "post_id"].iloc[0]
        msg = f"post {post} has two values of {by!r}; a post has one account"
        raise FrameError(msg)
    return table


def _post_table(  # noqa: PLR0913, PLR0917 - what a post is described by
    counts: pd.DataFrame,
    posts: pd.DataFrame | None,
    of: str,
    size: str | None,
    at: float | None,
    tz: str,
) -> pd.DataFrame:
    """Return the posts of which everything is known, by ``post_id``.

    ``log`` of 1 + count, ``hour``, ``weekday``, ``thread``, ``size`` on the log scale, and
    ``handle`` if there is such a column.
    """
    there = {*counts.columns, *(() if posts is None else posts.columns)}
    if size is not None and size not in there:
        msg = (
            f"accounts are compared, and neither the counts nor posts=… have {size!r}; add the "
            "size of each account to posts, name another column, or give size=None to compare "
            "accounts regardless of their size"
        )
        raise FrameError(msg)
    names = [name for name in (ACCOUNT, size) if name is not None and name in there]
    counts = look_up(counts, names, posts) if names else counts
    count = totals(filter_types(counts, [of]), [of], at)[of]
    count = count[~np.isnan(made_hour(pd.Index(count.index)))]
    cell, local = local_hours(made_hour(pd.Index(count.index)), zone_of(tz))
    own = counts.drop_duplicates("post_id").set_index("post_id")[names]
    table = pd.DataFrame(
        {
            "log": np.log1p(np.maximum(count.to_numpy("float64"), 0)),
            "hour": cell % HOURS_OF_DAY,
            "weekday": cell // HOURS_OF_DAY,
            "thread": thread_numbers(counts, pd.Index(count.index), local),
            **{name: own[name].reindex(count.index).array for name in names},
        },
        index=pd.Index(count.index, dtype=TEXT),
    )
    if size is None:
        return table.dropna().assign(size=np.nan)
    return table.assign(size=_log_size(table[size], size)).dropna()


def _log_size(values: pd.Series, size: str) -> pd.Series:
    """Return the logarithms of sizes; NaN if one is missing."""
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    wrong = values.notna() & ~((numbers > 0) & np.isfinite(numbers))
    if wrong.any():
        shown = truncated_repr(values[wrong].iloc[0])
        msg = f"{size!r} of post {wrong.idxmax()} is {shown}; sizes are numbers above 0"
        raise FrameError(msg)
    return pd.Series(np.log(numbers.to_numpy("float64")), values.index)


@dataclass(frozen=True, slots=True)
class _Row:
    """A group, and the contrast of the groups' effects that compares it with others.

    ``between`` is the variance that the scatter of other accounts adds, with its degrees of
    freedom.
    """

    group: str
    against: str
    contrast: Floats
    exponent: float = np.nan
    between: float = 0.0
    freedom: float = np.inf


@dataclass(frozen=True, slots=True)
class _Model:
    """A regression of posts on their groups, and on what is adjusted for: a row for each post.

    ``groups`` and a number of ``covariates`` are the columns of the design. If the groups are
    ``apart``, each post is in one of them, and there is no constant. ``log`` is the outcome.
    """

    names: list[str]
    groups: Floats
    covariates: int
    adjusted_for: list[str]
    log: Floats
    size: Floats
    regression: Regression
    apart: bool

    def estimated(self, contrasts: Floats, exponent: float = 0.0) -> Contrasts:
        """Estimate contrasts of the groups' effects on counts per power of the size."""
        log = self.log - exponent * self.size if exponent else self.log
        padded = np.pad(contrasts, ((0, 0), (0, self.covariates)))
        return self.regression.estimate(log, padded)

    def alike(self) -> list[str]:
        """Return the groups that can be compared with the one of most posts, and that one."""
        own = np.eye(len(self.names))
        found = self.estimated(own - own[int(self.groups.sum(axis=0).argmax())])
        known = ~np.isnan(found.estimate)
        return [name for name, there in zip(self.names, known, strict=True) if there]

    def against_the_rest(self, exponent: float) -> list[_Row]:
        """Return the comparison of each group with all other posts, or of two groups."""
        pair = self.apart and len(self.names) == _PAIR
        own = np.eye(len(self.names))
        rest = np.where(own > 0, 0, self.groups.sum(axis=0))
        contrasts = own - rest / rest.sum(axis=1, keepdims=True) if self.apart else own
        against = self.names[1] if pair else OTHERS
        used = exponent or np.nan
        rows = zip(self.names, contrasts, strict=True)
        return [_Row(name, against, row, used) for name, row in rows][: 1 if pair else None]


def _model(table: pd.DataFrame, groups: pd.DataFrame, minimum: int, by: str) -> _Model:
    """Return the regression, with the groups that have enough threads."""
    pairs = groups[groups["post_id"].isin(table.index)]
    threads = table["thread"].reindex(pairs["post_id"]).groupby(pairs["group"].array).nunique()
    names = sorted(threads.index[threads >= minimum])
    enough = pairs[pairs["group"].isin(names)]
    apart = len(pairs) == len(table) and not pairs["post_id"].duplicated().any()
    if apart:
        table = table[table.index.isin(enough["post_id"])]
    if len(names) < (_PAIR if apart else 1):
        msg = (
            f"{len(names)} of {len(threads)} values of {by!r} have {minimum} threads or more with "
            "known counts; a comparison needs two, or a tag that other posts lack"
        )
        raise FrameError(msg)
    members = np.zeros((len(table), len(names)))
    place = pd.Index(names).get_indexer(pd.Index(enough["group"]))
    members[table.index.get_indexer(pd.Index(enough["post_id"])), place] = 1
    several = by != ACCOUNT and ACCOUNT in table and len(table[ACCOUNT].unique()) > 1
    within = [ACCOUNT] if several else []
    adjusted_for = [*within, "hour", "weekday"]
    parts = [pd.get_dummies(table[name], drop_first=True) for name in adjusted_for]
    constant = np.ones((len(table), 0 if apart else 1))
    covariates = np.column_stack([constant, *parts]).astype("float64")
    thread = pd.factorize(table["thread"])[0].astype("int64")
    model = _Model(
        names=names,
        groups=members,
        covariates=covariates.shape[1],
        adjusted_for=adjusted_for,
        log=table["log"].to_numpy("float64"),
        size=table["size"].to_numpy("float64"),
        regression=Regression.on(np.column_stack([members, covariates]), thread),
        apart=apart,
    )
    alike = model.alike() if apart else names
    if len(alike) == len(names):
        return model
    if len(alike) < _PAIR:
        raise FrameError(_APART.format(by, model.covariates))
    kept = enough[enough["group"].isin(alike)]
    return _model(table[table.index.isin(kept["post_id"])], kept, minimum, by)


def _by_size(model: _Model) -> list[_Row]:
    """Return the comparison of each account with the line through the others, by size."""
    number = len(model.names)
    if number < ACCOUNTS:
        msg = (
            f"there are {number} accounts with enough posts: {format_list(model.names)}; how "
            f"counts grow with the size is estimated from {ACCOUNTS} or more. Give exponent=1 to "
            "compare counts per follower, or size=None"
        )
        raise FrameError(msg)
    size = model.groups.T @ model.size / model.groups.sum(axis=0)
    line = np.column_stack([np.ones(number), size - size.mean()])
    rows = []
    for place, name in enumerate(model.names):
        others = np.arange(number) != place
        if np.ptp(size[others]) < _SAME:
            msg = f"all accounts but {name!r} have the same size; give exponent=1, or size=None"
            raise FrameError(msg)
        fitted = np.zeros((2, number))
        fitted[:, others] = np.linalg.pinv(line[others])
        residuals = (np.eye(number) - line @ fitted)[others]
        found = model.estimated(np.vstack([residuals, fitted[1]]))
        chance = np.diag(found.covariance)[:-1].sum()
        freedom = number - 1 - len(fitted)
        scatter = max(float((found.estimate[:-1] ** 2).sum() - chance), 0.0) / freedom
        expected = line[place] @ fitted
        contrast = np.eye(number)[place] - expected
        between = scatter * float(expected @ expected)
        exponent = float(found.estimate[-1])
        rows.append(_Row(name, OTHERS, contrast, exponent, between, freedom))
    return rows


def _intervals(model: _Model, rows: list[_Row], confidence: float) -> pd.DataFrame:
    """Return ratios, intervals and verdicts."""
    from scipy.special import stdtr, stdtrit  # noqa: PLC0415 - takes as long to import as pandas

    given = rows[0].exponent if np.isinf(rows[0].freedom) else 0.0
    found = model.estimated(np.array([row.contrast for row in rows]), np.nan_to_num(given))
    within, between = np.diag(found.covariance), np.array([row.between for row in rows])
    error = np.sqrt(within + between)
    error[~(error > _SAME)] = np.nan
    parts = within**2 / found.freedom + between**2 / np.array([row.freedom for row in rows])
    freedom = error**4 / parts
    p = 2 * stdtr(freedom, -np.abs(found.estimate) / error)
    steps = holm_steps(p, 1 - confidence)
    reach = stdtrit(freedom, 1 - (1 - confidence) / steps / 2) * error
    inside = model.groups[:, : len(rows)].astype(bool).T
    raw = [model.log[own].mean() - model.log[~own].mean() for own in inside]
    logs = {
        "ratio": found.estimate,
        "low": found.estimate - reach,
        "high": found.estimate + reach,
        "detectable": reach + z_of(2 * POWER - 1) * error,
        "unadjusted": np.array(raw),
    }
    with np.errstate(over="ignore"):
        ratios = {name: np.exp(values) for name, values in logs.items()}
    return pd.DataFrame(
        {
            "group": [row.group for row in rows],
            "against": [row.against for row in rows],
            **ratios,
            "p": holm(p),
            "exponent": [row.exponent for row in rows],
            "differs": pd.array(holm(p) <= 1 - confidence, "boolean"),
        }
    )


def _complete(
    frame: pd.DataFrame, groups: pd.DataFrame, table: pd.DataFrame, minimum: int
) -> pd.DataFrame:
    """Return the rows of all groups, with their numbers of posts and the answer in words."""
    against = set(frame["against"])
    absent = sorted(set(groups["group"]) - set(frame["group"]) - against)
    absent_rows = pd.DataFrame({"group": absent, "against": OTHERS})
    frame = pd.concat([frame, absent_rows]).sort_values("group", ignore_index=True)
    known = groups[groups["post_id"].isin(table.index)]
    thread = table["thread"].reindex(known["post_id"]).groupby(known["group"].array)
    frame["n"] = frame["group"].map(thread.size()).fillna(0)
    frame["threads"] = frame["group"].map(thread.nunique()).fillna(0)
    frame["left_out"] = frame["group"].map(groups["group"].value_counts()) - frame["n"]
    typical = frame.assign(statistic="typical", difference=frame["ratio"], unequal_spread=False)
    frame["finding"] = [
        finding(row) if row["p"] >= 0 else TOO_FEW if row["threads"] < minimum else NOT_ALIKE
        for _, row in typical.iterrows()
    ]
    return frame.reindex(columns=list(_COLUMNS))
