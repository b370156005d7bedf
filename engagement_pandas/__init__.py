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
    from engagement_pandas.auth.account import Account
    from engagement_pandas.auth.accounts import Accounts
    from engagement_pandas.auth.credentials import AppOnly, Consumer, UserContext
    from engagement_pandas.auth.ledger import Ledger
    from engagement_pandas.auth.login import PendingLogin, begin_login, login
    from engagement_pandas.client.client import EngagementClient
    from engagement_pandas.client.connection import connect
    from engagement_pandas.client.demo import demo_client
    from engagement_pandas.client.read_posts import read_posts
    from engagement_pandas.dataset.dataset import Dataset
    from engagement_pandas.dataset.sync import sync
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
    from engagement_pandas.flattening import flatten, flatten_json, omissions
    from engagement_pandas.frame import read_csv, read_parquet, write_csv, write_parquet
    from engagement_pandas.frame.contract import timestamps
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
    from engagement_pandas.request.grouping import BY_DAY, BY_HOUR, BY_POST, Grouping
    from engagement_pandas.request.plan import Plan, plan
    from engagement_pandas.request.post_ids import created_at
    from engagement_pandas.request.request import (
        EngagementRequest,
        historical,
        last_28_hours,
        totals,
    )
    from engagement_pandas.request.window import Window
    from engagement_pandas.response.archive import Archive
    from engagement_pandas.response.response import EngagementResponse
    from engagement_pandas.vocabulary import (
        PUBLIC_TYPES,
        SERIES_TYPES,
        TOTALS_TYPES,
        Dimension,
        Endpoint,
        EngagementType,
        OmissionReason,
    )

__version__ = "0.1.0"

_HOMES = {
    "auth.account": ("Account",),
    "auth.accounts": ("Accounts",),
    "response.archive": ("Archive",),
    "auth.credentials": ("AppOnly", "Consumer", "UserContext"),
    "client.client": ("EngagementClient",),
    "client.demo": ("demo_client",),
    "client.read_posts": ("read_posts",),
    "client.connection": ("connect",),
    "dataset.dataset": ("Dataset",),
    "dataset.sync": ("sync",),
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
    "frame": ("read_csv", "read_parquet", "write_csv", "write_parquet"),
    "flattening": ("flatten", "flatten_json", "omissions"),
    "frame.contract": ("timestamps",),
    "request.grouping": ("BY_DAY", "BY_HOUR", "BY_POST", "Grouping"),
    "auth.ledger": ("Ledger",),
    "auth.login": ("PendingLogin", "begin_login", "login"),
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
    "request.plan": ("Plan", "plan"),
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
    "request.post_ids": ("created_at",),
    "request.request": ("EngagementRequest", "historical", "last_28_hours", "totals"),
    "response.response": ("EngagementResponse",),
    "vocabulary": (
        "PUBLIC_TYPES",
        "SERIES_TYPES",
        "TOTALS_TYPES",
        "Dimension",
        "Endpoint",
        "EngagementType",
        "OmissionReason",
    ),
    "request.window": ("Window",),
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
    "sync",
    "tall",
    "timestamps",
    "to_html",
    "top_posts",
    "totals",
    "wide",
    "write_csv",
    "write_parquet",
]
