"""X's enterprise Engagement API as tidy pandas frames.

>>> import engagement_pandas as ep
>>> with ep.demo_client(now="2026-04-15T12:20:00Z") as demo:
...     request = ep.totals(demo.posts, engagement_types=["impressions", "favorites"])
...     responses = demo.client.fetch(request)
>>> list(ep.flatten(responses).columns)
['post_id', 'engagement_type', 'count']

Names load when first used, so that importing the package costs next to nothing.
"""

import lazy_loader

__version__ = "0.1.0"

# The names stand once, in __init__.pyi, which type checkers read too.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
