"""Pictures of tidy counts: a frame in, matplotlib Axes out.

Nothing is shown or saved here, and no setting of matplotlib is changed. matplotlib is
imported when the first picture is drawn, and pyplot only where no Axes are given.

============================ =========================================================
:func:`plot_over_time`       a line a type or post, with partial buckets marked
:func:`plot_running_total`   the same, added up
:func:`plot_rate_over_time`  the same as a rate: a line a type, a post, or one
:func:`plot_by_age`          counts in each hour of the posts' lives
:func:`plot_cumulative`      growth by age, with the band of a cohort
:func:`plot_rate_by_age`     a rate in each hour of the posts' lives
:func:`plot_by_type`         sums of the engagement types
:func:`plot_top_posts`       the most counts, or the best rate with its interval
:func:`plot_best_times`      weekday by hour, and whether it matters
:func:`plot_compare`         two sets of posts, and the interval of their difference
:func:`plot_half_life`       the age at half of the counts, post by post
============================ =========================================================

Colours are Okabe and Ito's. A type has its colour from the vocabulary and a post from its
ID, so both keep it from plot to plot; ``posts=``, a frame with all the posts and perhaps
their ``text``, fixes colours under any filter and names the posts. A series has its post
ID or type as its artist's ``gid``, which SVG pictures keep.

Imports ``metrics``, ``frame`` and the ground.
"""

from engagement_pandas.plots.best_times import plot_best_times
from engagement_pandas.plots.by_age import plot_by_age
from engagement_pandas.plots.by_type import plot_by_type
from engagement_pandas.plots.compare import plot_compare
from engagement_pandas.plots.cumulative import plot_cumulative
from engagement_pandas.plots.half_life import plot_half_life
from engagement_pandas.plots.labels import post_names
from engagement_pandas.plots.over_time import plot_over_time
from engagement_pandas.plots.rate_by_age import plot_rate_by_age
from engagement_pandas.plots.rate_over_time import plot_rate_over_time
from engagement_pandas.plots.running_total import plot_running_total
from engagement_pandas.plots.style import COLOURS, post_colours
from engagement_pandas.plots.top_posts import plot_top_posts

__all__ = [
    "COLOURS",
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
    "post_colours",
    "post_names",
]
