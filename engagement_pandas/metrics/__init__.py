"""Metrics: functions from a frame of counts to a new frame or Series.

Every function takes tidy counts and returns a new frame without changing its input. Unknown
values are ``<NA>``, never 0; a question that cannot be answered raises a ``FrameError`` that
states the remedy.

All functions reject duplicate rows, hours without a day, and sums beyond 64 bits. A sum adds
up the known counts; its ``complete`` or ``missing`` column states what it lacks. Results that
depend on the window of the counts are ``<NA>`` if ``attrs`` were lost.

=========================== ==========================================================
:func:`wide`, :func:`tall`  a column for each engagement type, and back
:func:`engagement_rate`     a ratio of sums, with an interval
:func:`over_time`           regular buckets of local time
:func:`running_total`       cumulative counts from the first bucket on
:func:`rate_over_time`      a rate in each bucket
:func:`age`                 hours since the post was created
:func:`growth`              what posts gained between two readings
:func:`latest`              the counts of the latest retrieval
:func:`by_age`              buckets of age
:func:`cumulative`          cumulative counts since the post was created
:func:`rate_by_age`         a rate in each bucket of age
:func:`half_life`           the age at half of the counts, or any other share
:func:`median_half_life`    its median over posts, as a bracket
:func:`benchmark`           percentiles of a cohort at each age
:func:`standing`            percentile rank of each post among others of its age
:func:`forecast`            the final count of young posts, with a prediction interval
:func:`versus_previous`     this period against the one before
:func:`breakouts`           hours and posts that stand out, and shifts of the level
:func:`concentration`       share of the counts that the top posts have
:func:`funnel`              from impressions to follows: rates from step to step
:func:`type_correlation`    which engagement types go together
:func:`top_posts`           the posts with the most counts, or the best rate
:func:`best_times`          rate by weekday and hour, with a significance test
:func:`compare`             two sets of posts, by the typical post or a rate, with an interval
:func:`adjusted_comparison` accounts or tags at the same size, hour and weekday
:func:`power`               the difference that so many posts can show
:func:`summarise`           one row per post; :func:`to_html` formats it for sharing
:func:`check_addable`       which types may be summed
:func:`check_comparable`    which counts may be compared
=========================== ==========================================================

Imports ``frame``, ``request`` and the ground.
"""

from engagement_pandas.metrics.adjusted_comparison import adjusted_comparison
from engagement_pandas.metrics.age import age
from engagement_pandas.metrics.benchmark import benchmark, standing
from engagement_pandas.metrics.best_times import best_times
from engagement_pandas.metrics.breakouts import breakouts
from engagement_pandas.metrics.by_age import by_age
from engagement_pandas.metrics.compare import compare
from engagement_pandas.metrics.compatibility import check_addable, check_comparable
from engagement_pandas.metrics.concentration import concentration
from engagement_pandas.metrics.cumulative import cumulative
from engagement_pandas.metrics.engagement_rate import engagement_rate
from engagement_pandas.metrics.forecast import forecast
from engagement_pandas.metrics.funnel import funnel, type_correlation
from engagement_pandas.metrics.growth import growth
from engagement_pandas.metrics.half_life import half_life, median_half_life
from engagement_pandas.metrics.latest import latest
from engagement_pandas.metrics.over_time import over_time
from engagement_pandas.metrics.power import power
from engagement_pandas.metrics.rate_by_age import rate_by_age
from engagement_pandas.metrics.rate_over_time import rate_over_time
from engagement_pandas.metrics.reshape import tall, wide
from engagement_pandas.metrics.running_total import running_total
from engagement_pandas.metrics.summary import summarise, to_html
from engagement_pandas.metrics.top_posts import top_posts
from engagement_pandas.metrics.versus_previous import versus_previous

__all__ = [
    "adjusted_comparison",
    "age",
    "benchmark",
    "best_times",
    "breakouts",
    "by_age",
    "check_addable",
    "check_comparable",
    "compare",
    "concentration",
    "cumulative",
    "engagement_rate",
    "forecast",
    "funnel",
    "growth",
    "half_life",
    "latest",
    "median_half_life",
    "over_time",
    "power",
    "rate_by_age",
    "rate_over_time",
    "running_total",
    "standing",
    "summarise",
    "tall",
    "to_html",
    "top_posts",
    "type_correlation",
    "versus_previous",
    "wide",
]
