"""Three tables that change at once: counts, omissions and revisions.

A commit of one table is all or nothing; of three it is not. So the commit of the counts comes
last, and says which versions of the other two go with it. What a writer that died left in
those is of no version that counts, and the next writer sets it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pandas as pd

from engagement_pandas.errors import DatasetError
from engagement_pandas.exports.contract import as_reasons
from engagement_pandas.frame import TOLD, counts_schema, omissions_schema
from engagement_pandas.lake.arrow import among, on_days, plain, read, to_arrow, to_frame
from engagement_pandas.lake.attempts import explained
from engagement_pandas.lake.mirror import mirror
from engagement_pandas.lake.readings import KEY, REVISION_COLUMNS, Folded, fold_all
from engagement_pandas.lake.silent import (
    SILENCE_COLUMNS,
    Silence,
    as_frame,
    broken,
    joined,
    read_silences,
)
from engagement_pandas.lake.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds
    from deltalake import DeltaTable

OMISSIONS: Final = "omissions"
REVISIONS: Final = "revisions"


class Appended(NamedTuple):
    """What an append changed.

    Attributes
    ----------
    added : int
        Counts of hours that were not there.
    revised : int
        Counts that are other ones now.
    """

    added: int
    revised: int


@dataclass(frozen=True)
class Store:
    """The tables of a data set.

    Parameters
    ----------
    home : str
        A folder or address; the tables are in folders in it.
    options : mapping of str to str, optional
        For the store.
    filesystem : fsspec AbstractFileSystem or pyarrow.fs.FileSystem, optional
        In which the home is.
    """

    home: str
    options: Mapping[str, str] | None = field(default=None, repr=False)
    filesystem: Any = None

    @cached_property
    def counts(self) -> Table:
        """The counts, in a folder a day."""
        return self._table("counts", counts_schema(), "day")

    @cached_property
    def omissions(self) -> Table:
        """What has no count, and since when."""
        import pyarrow as pa  # noqa: PLC0415  heavy, and only files need it

        schema = omissions_schema(TOLD)
        for name in list(SILENCE_COLUMNS)[len(schema) :]:
            schema = schema.append(pa.field(name, pa.timestamp("us", tz="UTC")))
        return self._table(OMISSIONS, schema)

    @cached_property
    def revisions(self) -> Table:
        """Hours that changed after they were first read."""
        import pyarrow as pa  # noqa: PLC0415  heavy, and only files need it

        kinds = counts_schema()
        like = {"count_before": "count", "retrieved_before": "retrieved_at"}
        fields = [kinds.field(like.get(name, name)).with_name(name) for name in REVISION_COLUMNS]
        return self._table(REVISIONS, pa.schema(fields))

    def _table(self, name: str, schema: pa.Schema, *partition_by: str) -> Table:
        uri = f"{self.home}/{name}"
        there = None if self.filesystem is None else mirror(self.filesystem, uri)
        return Table(uri, plain(schema), partition_by, self.options, there)

    def silences(self, counts: DeltaTable | None) -> list[Silence]:
        """Return the omissions that go with these counts."""
        table = None if counts is None else self.belonging(self.omissions, counts, OMISSIONS)
        if table is None:
            return []
        with explained(self.omissions.uri, "read"):
            frame = to_frame(self.omissions.rows(table).to_table())
        return read_silences(frame.assign(reason=as_reasons(frame["reason"])))

    def log(self, counts: DeltaTable | None) -> pd.DataFrame:
        """Return the revisions that go with these counts."""
        table = None if counts is None else self.belonging(self.revisions, counts, REVISIONS)
        if table is None:
            return to_frame(self.revisions.schema.empty_table())
        with explained(self.revisions.uri, "read"):
            return to_frame(self.revisions.rows(table).to_table())

    @staticmethod
    def belonging(table: Table, counts: DeltaTable, name: str) -> DeltaTable | None:
        """Return a table as it was when these counts were committed.

        Raises
        ------
        DatasetError
            Where it is lost.
        """
        version = counts.transaction_version(name)
        found = None if version is None else table.open(version)
        if version is not None and found is None:
            msg = f"version {version} of {table.uri}, which goes with the counts, is lost"
            raise DatasetError(f"{msg}; make the data set anew from the raw answers")
        return found

    def append(self, turns: list[pd.DataFrame], heard: list[Silence]) -> Appended:
        """Write readings and silences; all of it or nothing.

        Parameters
        ----------
        turns : list of DataFrame
            Counts with ``retrieved_at``, each hour at most once in each.
        heard : list of Silence

        Raises
        ------
        Overtaken
            Where another writer was quicker: to be tried again.
        DatasetError
            Where it cannot be written.
        """
        counts = self.counts.made()
        fresh = turns[0] if len(turns) == 1 else pd.concat(turns, ignore_index=True)
        posts = list(fresh["post_id"].unique())
        wanted = on_days(fresh["day"].unique()) & among("post_id", posts)
        folded = fold_all(read(self.counts.rows(counts), wanted), turns)
        versions = {
            OMISSIONS: self._hear(counts, heard, fresh),
            REVISIONS: self._log(counts, folded.revisions),
        }
        changed = {
            name: version
            for name, version in versions.items()
            if version is not None and version != counts.transaction_version(name)
        }
        if len(folded.renewed):
            rows, days = _renewed(self.counts.rows(counts), folded, posts)
        else:
            rows, days = folded.added, ""
        if len(rows) or changed:
            ordered = to_arrow(rows.sort_values(list(KEY)), self.counts.schema)
            self.counts.write(counts, ordered, instead_of=days, versions=changed)
        return Appended(len(folded.added), len(folded.revisions))

    def compact(self, kept_hours: int) -> None:
        """Put small files together, and take away what no longer counts; see ``Dataset``.

        Raises
        ------
        Overtaken
            Where another writer was quicker: to be tried again.
        """
        counts = self.counts.open()
        if counts is None:
            return
        self.counts.put_together(counts)
        others: list[tuple[Table, DeltaTable]] = []
        changed: dict[str, int] = {}
        for name, table in ((OMISSIONS, self.omissions), (REVISIONS, self.revisions)):
            version = counts.transaction_version(name)
            if version is not None:
                present = table.at(version)
                if table.put_together(present) != version:
                    changed[name] = int(present.version())
                others.append((table, present))
        if changed:
            self.counts.write(counts, self.counts.schema.empty_table(), versions=changed)
        # Only now: until then the counts go with files of before.
        for table, present in [(self.counts, counts), *others]:
            table.sweep(present, kept_hours)

    def _hear(self, counts: DeltaTable, heard: list[Silence], fresh: pd.DataFrame) -> int | None:
        """Write what is silent now; return the version that goes with the counts."""
        version = counts.transaction_version(OMISSIONS)
        before = self.silences(counts)
        after = broken(joined([*before, *heard]), fresh)
        if as_frame(after).equals(as_frame(before)):
            return version
        rows = to_arrow(as_frame(after), self.omissions.schema)
        return self.omissions.write(self.omissions.at(version or 0), rows, instead_of="true")

    def _log(self, counts: DeltaTable, revisions: pd.DataFrame) -> int | None:
        """Write what was revised; return the version that goes with the counts."""
        version = counts.transaction_version(REVISIONS)
        if revisions.empty:
            return version
        rows = to_arrow(revisions, self.revisions.schema)
        return self.revisions.write(self.revisions.at(version or 0), rows)


def _renewed(counts: ds.Dataset, folded: Folded, posts: list[str]) -> tuple[pd.DataFrame, str]:
    """Return all rows of the days that are written anew, and which days these are, in SQL."""
    days = pd.unique(pd.concat([folded.added["day"], pd.Series(folded.renewed)]))
    rest = read(counts, on_days(days) & ~among("post_id", posts))
    rows = folded.rows[folded.rows["day"].isin(days)]
    named = ", ".join(f"'{day}'" for day in days.astype("datetime64[D]"))
    return (
        pd.concat([rows, rest.astype({"engagement_type": "str"})], ignore_index=True),
        f"day IN ({named})",
    )
