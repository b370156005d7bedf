"""X's enterprise Engagement API as tidy pandas frames.

>>> import engagement_pandas as ep
>>> with ep.demo_client(now="2026-04-15T12:20:00Z") as demo:
...     request = ep.totals(demo.posts, engagement_types=["impressions", "favorites"])
...     counts = ep.flatten(demo.client.fetch(request))
>>> list(counts.columns)
['post_id', 'engagement_type', 'count']

``help(ep.flatten)`` explains a name, and ``counts.engagement`` has the metrics and charts as
methods. ``%load_ext engagement_pandas`` shows frames in a notebook with links and plain times.
Names load when first used, so ``import *`` has none.

Ask
    connect             a client for your credentials and posts
    demo_client         a client of a sandbox in this process, without credentials
    EngagementClient    sends requests; UserContext, AppOnly, Consumer: its credentials
    totals              counts since a post was made
    last_28_hours       hourly counts of the last 28 hours
    historical          hourly or daily counts of a Window
    Window              a half-open window of whole UTC hours
    Grouping            dimensions of the answer: BY_POST, BY_DAY, BY_HOUR
    plan                the requests that a question takes, as a Plan, before any is sent
    EngagementRequest   a valid question
    created_at          when a post was made, from its ID

Ask for several owners
    login, begin_login  authorise the app for an owner, by PIN; PendingLogin waits for the PIN
    Accounts, Account   the owners who have authorised the app
    Ledger              the handles requested this month, which a contract bills

Read answers and files
    flatten             counts of responses: one row per count
    omissions           what has no count, and why
    flatten_json        counts of a saved answer
    EngagementResponse  an answer, and the request that it answers
    read_posts          the posts in a file
    read_x_analytics    counts of the content export of X Analytics
    read_x_overview     daily counts of its overview export
    flatten_lookup      counts of JSON of X API v2, twarc or an archive
    flatten_analytics   counts of JSON of X API v2's analytics
    v2_omissions        what such JSON has no count of, and why
    counts_from         counts of any table

Look
    summarise, to_html  one row per post with its main metrics, and as an HTML table
    over_time           counts by hour, day, week or month, in any time zone
    running_total       the same, added up
    by_age              counts by hour since posting
    cumulative          counts up to each age
    age                 hours since posting
    timestamps          the start of each hour
    engagement_rate     a ratio of sums, with an interval
    rate_over_time      a rate in each bucket of time
    rate_by_age         a rate in each bucket of age
    half_life           the age at which a post had half of its counts
    median_half_life    its median over posts
    top_posts           the posts with the most counts, or the best rate
    concentration       the share of the counts that the top posts have
    funnel              rates from step to step: impressions, clicks, follows
    type_correlation    which types go together
    growth              what posts gained between two readings
    latest              the latest reading of each post
    wide, tall          a column per engagement type, and back

Compare and predict
    versus_previous     the last days against as many before
    compare, power      two sets of posts, and the difference that so many posts can show
    adjusted_comparison accounts or tags at the same size, hour and weekday
    breakouts           hours and posts that stand out, and shifts of the level
    best_times          rates by weekday and hour, with a test
    benchmark           percentiles of a cohort at each age
    standing            the percentile of a post among posts of its age
    forecast            the final count of a young post

Show
    report              one page to send: figures, charts, top posts, what is not known
    plot_over_time      counts over time; plot_running_total adds them up
    plot_by_age         counts by age; plot_cumulative adds them up, with a cohort's band
    plot_rate_over_time a rate over time; plot_rate_by_age by age
    plot_by_type        totals by engagement type
    plot_top_posts      the top posts; plot_concentration their share
    plot_best_times     the week, by hour
    plot_compare        two sets of posts
    plot_versus_previous, plot_growth, plot_forecast, plot_half_life,
    plot_breakouts, plot_funnel, plot_type_correlation, plot_adjusted_comparison
    headline            the sentence above a chart; follow_theme: light on a dark page
    EngagementExplorer  widgets for counts; CompareExplorer, BestTimesExplorer, FetchExplorer

Keep
    write_parquet       counts to a file, with what they cover; read_parquet reads it
    write_csv           the same as CSV; read_csv reads it
    write_excel         any frame as a workbook
    Archive             a folder of raw answers, which an interrupted job continues
    Dataset             hourly counts in Delta tables
    sync                bring a Dataset up to date

Words of the API
    EngagementType      TOTALS_TYPES, SERIES_TYPES and PUBLIC_TYPES are those of the endpoints
    Endpoint, Dimension, OmissionReason

Errors are all of EngagementError. Asking: RequestError (UnsupportedEngagementType,
UnsupportedGrouping, AmbiguousGrouping, InvalidPostId, InvalidWindow, LedgerFull),
CredentialsError (MissingCredentials, UserContextRequired, LoginRefused, AccountsError),
LedgerError. Answers: TransportError (QuotaExceeded), RefusedError (Unauthorized),
ResponseShapeError. Keeping: FrameError, ArchiveError, DatasetError (DamagedDataset,
AlreadySyncing).
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module

__version__ = "0.1.0"


@cache
def _public() -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return what finds and lists the public names, which stand once, in ``__init__.pyi``.

    There is no ``__all__``, with which help() would print the documentation of every class:
    11,000 lines. To read the names takes as long as ``--help``, which needs none.
    """
    import lazy_loader  # noqa: PLC0415

    return lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    return _public()[0](name)


def __dir__() -> list[str]:
    return _public()[1]()


_DISPLAY = "engagement_pandas.frame.notebook_display"  # imports pandas


# IPython finds an extension by these names; they are not public, so not in __dir__.
def load_ipython_extension(shell: object) -> None:
    """Show frames of this package with links and plain times, for ``%load_ext``."""
    import_module(_DISPLAY).load(shell)


def unload_ipython_extension(shell: object) -> None:
    """Show frames as before, for ``%unload_ext``."""
    import_module(_DISPLAY).unload(shell)
