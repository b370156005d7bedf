"""Plots of tidy counts: each function takes a frame and returns matplotlib Axes.

The functions do not show or save figures, and do not change matplotlib's settings.
matplotlib is imported with the first plot, and pyplot only if no Axes are passed.

================================ =========================================================
:func:`plot_over_time`           one line per type or post, with partial buckets marked
:func:`plot_running_total`       the same, cumulative
:func:`plot_rate_over_time`      a rate: one line per type or post, or a single line
:func:`plot_by_age`              counts by hour since posting
:func:`plot_cumulative`          growth by age, with percentile bands of a cohort
:func:`plot_rate_by_age`         a rate by hour since posting
:func:`plot_by_type`             totals by engagement type
:func:`plot_top_posts`           the highest counts, or the best rates with intervals
:func:`plot_best_times`          rate by weekday and hour, with a test
:func:`plot_compare`             two sets of posts, and the interval of their difference
:func:`plot_adjusted_comparison` accounts or tags at the same size, hour and weekday
:func:`plot_forecast`            young posts: their counts so far, and the forecast
:func:`plot_versus_previous`     this period compared with the one before
:func:`plot_breakouts`           the hours of an account, and what stands out
:func:`plot_concentration`       share of the counts that the top posts have
:func:`plot_funnel`              the rate of each step, from impressions to follows
:func:`plot_type_correlation`    which engagement types go together
:func:`plot_growth`              what posts gained between two readings of their totals
:func:`plot_half_life`           the age at which each post had half of its counts
:func:`report`                   a page with the charts of a period, its figures and top posts
================================ =========================================================

Above a plot stand its legend and, where it has a result, such as :func:`plot_compare`, its
:func:`headline`, a sentence with the result. A title that you set stands above both.

Colours are Okabe and Ito's. A type's colour follows from its place in the vocabulary, a
post's from its ID and a group's from its name, so they stay the same between plots.
``posts=``, a frame with all posts and optionally their ``text``, fixes the colours under any
filter and names the posts; a categorical column does so for groups. Plots of many posts have
one colour, and ``highlight=`` picks posts out. The ``gid`` of each artist is its post ID or
type; SVG files keep it.

Imports ``metrics``, ``frame`` and the ground.
"""

from engagement_pandas.plots.adjusted_comparison import plot_adjusted_comparison
from engagement_pandas.plots.best_times import plot_best_times
from engagement_pandas.plots.breakouts import plot_breakouts
from engagement_pandas.plots.by_age import plot_by_age
from engagement_pandas.plots.by_type import plot_by_type
from engagement_pandas.plots.colours import COLOURS, post_colours
from engagement_pandas.plots.compare import plot_compare
from engagement_pandas.plots.concentration import plot_concentration
from engagement_pandas.plots.cumulative import plot_cumulative
from engagement_pandas.plots.forecast import plot_forecast
from engagement_pandas.plots.funnel import plot_funnel, plot_type_correlation
from engagement_pandas.plots.growth import plot_growth
from engagement_pandas.plots.half_life import plot_half_life
from engagement_pandas.plots.legend_and_headline import headline
from engagement_pandas.plots.over_time import plot_over_time
from engagement_pandas.plots.page_theme import follow_theme
from engagement_pandas.plots.post_names import post_names
from engagement_pandas.plots.rate_by_age import plot_rate_by_age
from engagement_pandas.plots.rate_over_time import plot_rate_over_time
from engagement_pandas.plots.report import report
from engagement_pandas.plots.running_total import plot_running_total
from engagement_pandas.plots.top_posts import plot_top_posts
from engagement_pandas.plots.versus_previous import plot_versus_previous

__all__ = [
    "COLOURS",
    "follow_theme",
    "headline",
    "plot_adjusted_comparison",
    "plot_best_times",
    "plot_breakouts",
    "plot_by_age",
    "plot_by_type",
    "plot_compare",
    "plot_concentration",
    "plot_cumulative",
    "plot_forecast",
    "plot_funnel",
    "plot_growth",
    "plot_half_life",
    "plot_over_time",
    "plot_rate_by_age",
    "plot_rate_over_time",
    "plot_running_total",
    "plot_top_posts",
    "plot_type_correlation",
    "plot_versus_previous",
    "post_colours",
    "post_names",
    "report",
]
