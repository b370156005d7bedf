"""Files with post IDs and other post data: tables, JSON and lists.

One reader for the command line, ``connect()``, ``read_posts()`` and the widget.
"""

from engagement_pandas.request.post_files.entry import (
    LONG,
    MISSING,
    PASTED,
    Missing,
    PostEntry,
    handles_in,
)
from engagement_pandas.request.post_files.reader import (
    MOST_BYTES,
    contents_of,
    ids_in,
    read_content,
    read_contents,
    read_records,
    records_in,
    text_of,
)

__all__ = [
    "LONG",
    "MISSING",
    "MOST_BYTES",
    "PASTED",
    "Missing",
    "PostEntry",
    "contents_of",
    "handles_in",
    "ids_in",
    "read_content",
    "read_contents",
    "read_records",
    "records_in",
    "text_of",
]
