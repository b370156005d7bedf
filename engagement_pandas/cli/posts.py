"""The argument POSTS: IDs as they are typed, and files of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from engagement_pandas.handles import Handles
from engagement_pandas.id_files import Post, read_posts
from engagement_pandas.posts import unique_ids

Ids = tuple[str, ...]

HELP: Final = (
    "IDs, or files: .csv with a post_id column and perhaps a handle, .json, else an ID a line; "
    "- for stdin"
)


def told(sources: Iterable[str]) -> tuple[Ids, Handles]:
    """Return the IDs, each once, and whose posts they are, as far as files tell.

    Raises
    ------
    RequestError
        Where something is no ID or no handle, or a post has two handles.
    OSError
        Where a file cannot be read.
    """
    posts: list[Post] = []
    for source in sources:
        single = source.isdigit() and not Path(source).exists()
        posts += [(source, None)] if single else read_posts(source)
    return unique_ids(post for post, _ in posts), Handles(posts)
