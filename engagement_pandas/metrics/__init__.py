"""What the numbers say: a frame of counts in, a frame or Series out.

Every function takes tidy counts, changes nothing, and returns a new frame. What is not
known is ``<NA>``, never 0, and what cannot be answered is a ``FrameError`` with the cure.

Rows that stand twice, hours of no day and sums beyond 64 bits are refused by all of them.
A sum is of the counts that are known: ``complete`` or ``missing`` beside it states what it
lacks. What rests on the edges of the counts is ``<NA>`` where ``attrs`` have lost them.

=========================== ==========================================================
:func:`wide`, :func:`tall`  a column for each engagement type, and back
:func:`engagement_rate`     a ratio of sums, with an interval
:func:`over_time`           regular buckets of local time
:func:`running_total`       all counts from the first bucket on
:func:`rate_over_time`      a rate in each bucket
:func:`age`                 hours since the post was made
:func:`latest`              of counts retrieved several times, the latest
:func:`by_age`              buckets of age
:func:`cumulative`          running counts since the making
:func:`rate_by_age`         a rate in each bucket of age
:func:`half_life`           the age at half of the counts, or at any share
:func:`benchmark`           what a cohort had at each age
:func:`standing`            where a post stands among others of its age
:func:`top_posts`           the most counts, or the best rate
:func:`best_times`          weekday by hour, and whether it matters
:func:`compare`             two sets of posts, and whether they differ
:func:`summarise`           a row a post; :func:`to_html`, to be sent
:func:`check_addable`       which types may be summed
:func:`check_comparable`    which counts may be held against each other
=========================== ==========================================================

Imports ``frame``, ``request`` and the ground.
"""

from engagement_pandas.metrics.age import age
from engagement_pandas.metrics.benchmark import benchmark, standing
from engagement_pandas.metrics.best_times import best_times
from engagement_pandas.metrics.by_age import by_age
from engagement_pandas.metrics.compare import compare
from engagement_pandas.metrics.compatibility import check_addable, check_comparable
from engagement_pandas.metrics.cumulative import cumulative
from engagement_pandas.metrics.engagement_rate import engagement_rate
from engagement_pandas.metrics.half_life import half_life
from engagement_pandas.metrics.latest import latest
from engagement_pandas.metrics.over_time import over_time
from engagement_pandas.metrics.rate_over_time import rate_by_age, rate_over_time
from engagement_pandas.metrics.reshape import tall, wide
from engagement_pandas.metrics.running_total import running_total
from engagement_pandas.metrics.summary import summarise, to_html
from engagement_pandas.metrics.top_posts import top_posts

__all__ = [
    "age",
    "benchmark",
    "best_times",
    "by_age",
    "check_addable",
    "check_comparable",
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
]
