"""X's enterprise Engagement API as tidy pandas frames.

>>> import engagement_pandas as ep
>>> with ep.demo_client(now="2026-04-15T12:20:00Z") as demo:
...     request = ep.totals(demo.posts, engagement_types=["impressions", "favorites"])
...     responses = demo.client.fetch(request)
>>> list(ep.flatten(responses).columns)
['post_id', 'engagement_type', 'count']

Names load when first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engagement_pandas.archive import Archive
    from engagement_pandas.auth import AppOnly, Consumer, UserContext
    from engagement_pandas.client import EngagementClient
    from engagement_pandas.connection import connect
    from engagement_pandas.dataset import Dataset
    from engagement_pandas.errors import (
        AccountsError,
        AlreadySyncing,
        AmbiguousGrouping,
        ArchiveError,
        CredentialsError,
        DamagedDataset,
        DatasetError,
        EngagementError,
        FrameError,
        InvalidPostId,
        InvalidWindow,
        LedgerError,
        LedgerFull,
        LoginRefused,
        MissingCredentials,
        QuotaExceeded,
        RefusedError,
        RequestError,
        ResponseShapeError,
        TransportError,
        Unauthorized,
        UnsupportedEngagementType,
        UnsupportedGrouping,
        UserContextRequired,
    )
    from engagement_pandas.explorers import (
        BestTimesExplorer,
        CompareExplorer,
        EngagementExplorer,
        FetchExplorer,
    )
    from engagement_pandas.exports import (
        read_csv,
        read_parquet,
        read_posts,
        write_csv,
        write_parquet,
    )
    from engagement_pandas.flattening import flatten, flatten_json, omissions
    from engagement_pandas.frame import timestamps
    from engagement_pandas.grouping import BY_DAY, BY_HOUR, BY_POST, Grouping
    from engagement_pandas.metrics import (
        age,
        benchmark,
        best_times,
        by_age,
        compare,
        cumulative,
        engagement_rate,
        half_life,
        latest,
        over_time,
        rate_by_age,
        rate_over_time,
        running_total,
        standing,
        summarise,
        tall,
        to_html,
        top_posts,
        wide,
    )
    from engagement_pandas.owners.account import Account
    from engagement_pandas.owners.accounts import Accounts
    from engagement_pandas.owners.ledger import Ledger
    from engagement_pandas.owners.logins import PendingLogin, begin_login, login
    from engagement_pandas.planning import Plan, plan
    from engagement_pandas.plots import (
        plot_best_times,
        plot_by_age,
        plot_by_type,
        plot_compare,
        plot_cumulative,
        plot_half_life,
        plot_over_time,
        plot_rate_by_age,
        plot_rate_over_time,
        plot_running_total,
        plot_top_posts,
    )
    from engagement_pandas.posts import created_at
    from engagement_pandas.request import EngagementRequest, historical, last_28_hours, totals
    from engagement_pandas.response import EngagementResponse
    from engagement_pandas.sandbox import demo_client
    from engagement_pandas.vocabulary import (
        PUBLIC_TYPES,
        SERIES_TYPES,
        TOTALS_TYPES,
        Dimension,
        Endpoint,
        EngagementType,
        OmissionReason,
    )
    from engagement_pandas.window import Window

__version__ = "0.1.0"

_HOMES = {
    "owners.account": ("Account",),
    "owners.accounts": ("Accounts",),
    "archive": ("Archive",),
    "auth": ("AppOnly", "Consumer", "UserContext"),
    "client": ("EngagementClient",),
    "connection": ("connect",),
    "dataset": ("Dataset",),
    "errors": (
        "AlreadySyncing",
        "AccountsError",
        "AmbiguousGrouping",
        "ArchiveError",
        "CredentialsError",
        "DamagedDataset",
        "DatasetError",
        "EngagementError",
        "FrameError",
        "InvalidPostId",
        "InvalidWindow",
        "LedgerError",
        "LedgerFull",
        "LoginRefused",
        "MissingCredentials",
        "QuotaExceeded",
        "RefusedError",
        "RequestError",
        "ResponseShapeError",
        "TransportError",
        "Unauthorized",
        "UnsupportedEngagementType",
        "UnsupportedGrouping",
        "UserContextRequired",
    ),
    "explorers": (
        "BestTimesExplorer",
        "CompareExplorer",
        "EngagementExplorer",
        "FetchExplorer",
    ),
    "exports": ("read_csv", "read_parquet", "read_posts", "write_csv", "write_parquet"),
    "flattening": ("flatten", "flatten_json", "omissions"),
    "frame": ("timestamps",),
    "grouping": ("BY_DAY", "BY_HOUR", "BY_POST", "Grouping"),
    "owners.ledger": ("Ledger",),
    "owners.logins": ("PendingLogin", "begin_login", "login"),
    "metrics": (
        "age",
        "benchmark",
        "best_times",
        "by_age",
        "compare",
        "cumulative",
        "engagement_rate",
        "half_life",
        "latest",
        "over_time",
        "rate_by_age",
        "rate_over_time",
        "running_total",
        "standing",
        "summarise",
        "tall",
        "to_html",
        "top_posts",
        "wide",
    ),
    "planning": ("Plan", "plan"),
    "plots": (
        "plot_best_times",
        "plot_by_age",
        "plot_by_type",
        "plot_compare",
        "plot_cumulative",
        "plot_half_life",
        "plot_over_time",
        "plot_rate_by_age",
        "plot_rate_over_time",
        "plot_running_total",
        "plot_top_posts",
    ),
    "posts": ("created_at",),
    "request": ("EngagementRequest", "historical", "last_28_hours", "totals"),
    "response": ("EngagementResponse",),
    "sandbox": ("demo_client",),
    "vocabulary": (
        "PUBLIC_TYPES",
        "SERIES_TYPES",
        "TOTALS_TYPES",
        "Dimension",
        "Endpoint",
        "EngagementType",
        "OmissionReason",
    ),
    "window": ("Window",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    "BY_DAY",
    "BY_HOUR",
    "BY_POST",
    "PUBLIC_TYPES",
    "SERIES_TYPES",
    "TOTALS_TYPES",
    "Account",
    "Accounts",
    "AccountsError",
    "AlreadySyncing",
    "AmbiguousGrouping",
    "AppOnly",
    "Archive",
    "ArchiveError",
    "BestTimesExplorer",
    "CompareExplorer",
    "Consumer",
    "CredentialsError",
    "DamagedDataset",
    "Dataset",
    "DatasetError",
    "Dimension",
    "Endpoint",
    "EngagementClient",
    "EngagementError",
    "EngagementExplorer",
    "EngagementRequest",
    "EngagementResponse",
    "EngagementType",
    "FetchExplorer",
    "FrameError",
    "Grouping",
    "InvalidPostId",
    "InvalidWindow",
    "Ledger",
    "LedgerError",
    "LedgerFull",
    "LoginRefused",
    "MissingCredentials",
    "OmissionReason",
    "PendingLogin",
    "Plan",
    "QuotaExceeded",
    "RefusedError",
    "RequestError",
    "ResponseShapeError",
    "TransportError",
    "Unauthorized",
    "UnsupportedEngagementType",
    "UnsupportedGrouping",
    "UserContext",
    "UserContextRequired",
    "Window",
    "age",
    "begin_login",
    "benchmark",
    "best_times",
    "by_age",
    "compare",
    "connect",
    "created_at",
    "cumulative",
    "demo_client",
    "engagement_rate",
    "flatten",
    "flatten_json",
    "half_life",
    "historical",
    "last_28_hours",
    "latest",
    "login",
    "omissions",
    "over_time",
    "plan",
    "plot_best_times",
    "plot_by_age",
    "plot_by_type",
    "plot_compare",
    "plot_cumulative",
    "plot_half_life",
    "plot_over_time",
    "plot_rate_by_age",
    "plot_rate_over_time",
    "plot_running_total",
    "plot_top_posts",
    "rate_by_age",
    "rate_over_time",
    "read_csv",
    "read_parquet",
    "read_posts",
    "running_total",
    "standing",
    "summarise",
    "tall",
    "timestamps",
    "to_html",
    "top_posts",
    "totals",
    "wide",
    "write_csv",
    "write_parquet",
]
