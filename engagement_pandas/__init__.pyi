from .auth.account import Account as Account
from .auth.accounts import Accounts as Accounts
from .auth.credentials import AppOnly as AppOnly, Consumer as Consumer, UserContext as UserContext
from .auth.ledger import Ledger as Ledger
from .auth.pin_login import PendingLogin as PendingLogin, begin_login as begin_login, login as login
from .client.client import EngagementClient as EngagementClient
from .client.connection import connect as connect
from .client.demo import demo_client as demo_client
from .dataset.dataset import Dataset as Dataset
from .dataset.sync import sync as sync
from .errors import (
    AccountsError as AccountsError,
    AlreadySyncing as AlreadySyncing,
    AmbiguousGrouping as AmbiguousGrouping,
    ArchiveError as ArchiveError,
    CredentialsError as CredentialsError,
    DamagedDataset as DamagedDataset,
    DatasetError as DatasetError,
    EngagementError as EngagementError,
    FrameError as FrameError,
    InvalidPostId as InvalidPostId,
    InvalidWindow as InvalidWindow,
    LedgerError as LedgerError,
    LedgerFull as LedgerFull,
    LoginRefused as LoginRefused,
    MissingCredentials as MissingCredentials,
    QuotaExceeded as QuotaExceeded,
    RefusedError as RefusedError,
    RequestError as RequestError,
    ResponseShapeError as ResponseShapeError,
    TransportError as TransportError,
    Unauthorized as Unauthorized,
    UnsupportedEngagementType as UnsupportedEngagementType,
    UnsupportedGrouping as UnsupportedGrouping,
    UserContextRequired as UserContextRequired,
)
from .explorers import (
    BestTimesExplorer as BestTimesExplorer,
    CompareExplorer as CompareExplorer,
    EngagementExplorer as EngagementExplorer,
    FetchExplorer as FetchExplorer,
)
from .flattening import flatten as flatten, flatten_json as flatten_json, omissions as omissions
from .frame import (
    read_csv as read_csv,
    read_parquet as read_parquet,
    write_csv as write_csv,
    write_excel as write_excel,
    write_parquet as write_parquet,
)
from .frame.contract import timestamps as timestamps
from .metrics import (
    adjusted_comparison as adjusted_comparison,
    age as age,
    benchmark as benchmark,
    best_times as best_times,
    breakouts as breakouts,
    by_age as by_age,
    compare as compare,
    concentration as concentration,
    cumulative as cumulative,
    engagement_rate as engagement_rate,
    forecast as forecast,
    funnel as funnel,
    growth as growth,
    half_life as half_life,
    latest as latest,
    median_half_life as median_half_life,
    over_time as over_time,
    power as power,
    rate_by_age as rate_by_age,
    rate_over_time as rate_over_time,
    running_total as running_total,
    standing as standing,
    summarise as summarise,
    tall as tall,
    to_html as to_html,
    top_posts as top_posts,
    type_correlation as type_correlation,
    versus_previous as versus_previous,
    wide as wide,
)
from .plots import (
    follow_theme as follow_theme,
    headline as headline,
    plot_adjusted_comparison as plot_adjusted_comparison,
    plot_best_times as plot_best_times,
    plot_breakouts as plot_breakouts,
    plot_by_age as plot_by_age,
    plot_by_type as plot_by_type,
    plot_compare as plot_compare,
    plot_concentration as plot_concentration,
    plot_cumulative as plot_cumulative,
    plot_forecast as plot_forecast,
    plot_funnel as plot_funnel,
    plot_growth as plot_growth,
    plot_half_life as plot_half_life,
    plot_over_time as plot_over_time,
    plot_rate_by_age as plot_rate_by_age,
    plot_rate_over_time as plot_rate_over_time,
    plot_running_total as plot_running_total,
    plot_top_posts as plot_top_posts,
    plot_type_correlation as plot_type_correlation,
    plot_versus_previous as plot_versus_previous,
    report as report,
)
from .request.grouping import (
    BY_DAY as BY_DAY,
    BY_HOUR as BY_HOUR,
    BY_POST as BY_POST,
    Grouping as Grouping,
)
from .request.plan import Plan as Plan, plan as plan
from .request.post_ids import created_at as created_at
from .request.request import (
    EngagementRequest as EngagementRequest,
    historical as historical,
    last_28_hours as last_28_hours,
    totals as totals,
)
from .request.window import Window as Window
from .response.archives.archive import Archive as Archive
from .response.response import EngagementResponse as EngagementResponse
from .sources import (
    counts_from as counts_from,
    flatten_analytics as flatten_analytics,
    flatten_lookup as flatten_lookup,
    read_x_analytics as read_x_analytics,
    read_x_overview as read_x_overview,
    v2_omissions as v2_omissions,
)
from .sources.read_posts import read_posts as read_posts
from .vocabulary.engagement_types import (
    PUBLIC_TYPES as PUBLIC_TYPES,
    SERIES_TYPES as SERIES_TYPES,
    TOTALS_TYPES as TOTALS_TYPES,
    EngagementType as EngagementType,
)
from .vocabulary.dimensions import Dimension as Dimension
from .vocabulary.endpoints import Endpoint as Endpoint
from .vocabulary.omission_reasons import OmissionReason as OmissionReason

__version__: str
