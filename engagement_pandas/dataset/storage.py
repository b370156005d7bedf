"""Files at a URL: in a local folder, or in a store supported by ``deltalake``."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from engagement_pandas.errors import DatasetError
from engagement_pandas.files.atomic_write import fsync_dir

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo

_INVALID: Final = re.compile(r"[\[\]\x00-\x1f\x7f]|%[0-9A-Fa-f]{2}" + r"|\\" * (os.sep == "/"))
_NONE: Final[Mapping[str, str]] = {}


class StorageOptions:
    """Options of a store; since they may be keys, they are not shown, pickled or copied."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or _NONE)

    def values(self) -> dict[str, str] | None:
        """Return the options in the form that ``deltalake`` expects."""
        return dict(self._values) or None

    def __copy__(self) -> StorageOptions:
        return self

    def __deepcopy__(self, _: Any) -> StorageOptions:
        return self

    def __reduce__(self) -> str | tuple[Any, ...]:
        if self._values:
            self._refuse()
        return StorageOptions, ()

    def __dask_tokenize__(self) -> str:
        return hashlib.sha256(repr(sorted(self._values.items())).encode()).hexdigest()

    @staticmethod
    def _refuse() -> NoReturn:
        msg = (
            "a data set with storage_options cannot be pickled: they may be keys; set them as "
            "environment variables (AWS_…, AZURE_…, GOOGLE_…), on each worker too, and use "
            "Dataset(path) without them"
        )
        raise DatasetError(msg)

    def __repr__(self) -> str:
        return f"StorageOptions({', '.join(sorted(self._values))})"


@dataclass(frozen=True)
class Storage:
    """The files at a URL: a folder, or a URL such as ``s3://bucket/counts``."""

    uri: str
    options: StorageOptions

    @property
    def local(self) -> bool:
        """Whether the files are in a local folder."""
        return "://" not in self.uri

    def read(self, path: str) -> bytes:
        """Return the content of a file."""
        if self.local:
            return Path(self.uri, path).read_bytes()
        content: bytes = self._handler().open_input_file(path).read()
        return content

    def states(self, paths: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Return the size and the time of the last change of files, in nanoseconds since 1970.

        Files that do not exist are left out.
        """
        if not self.local:
            return {
                file.path: (int(file.size or 0), int(file.mtime_ns or 0))
                for file in self._below("")
            }
        found = {}
        for path in paths:
            with suppress(OSError):  # reading it reports why
                state = os.stat(f"{self.uri}/{path}")  # noqa: PTH116 - there may be thousands
                found[path] = state.st_size, state.st_mtime_ns
        return found

    def write(self, path: str, content: bytes) -> None:
        """Write a file and fsync it; the caller has to fsync its folder."""
        if self.local:
            file = Path(self.uri, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as handle:
                handle.write(content)
                handle.flush()
                os.fsync(handle.fileno())
            return
        # The stream that pyarrow would return rejects these buffers.
        stream = self._handler()._handler.open_output_stream(path, None)  # noqa: SLF001
        stream.write(content)
        stream.close()

    def remove(self, path: str) -> None:
        """Delete a file if it exists."""
        if self.local:
            Path(self.uri, path).unlink(missing_ok=True)
        else:
            with suppress(FileNotFoundError):
                self._handler().delete_file(path)

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder."""
        if self.local:
            return os.listdir(f"{self.uri}/{folder}")  # noqa: PTH208 - there may be many
        return [file.path.rpartition("/")[2] for file in self._below(folder)]

    def remove_folder(self, path: str) -> None:
        """Delete a folder if it exists."""
        if self.local:
            shutil.rmtree(Path(self.uri, path), ignore_errors=True)
        else:
            for file in self._below(path):
                self.remove(file.path)

    def move_folder(self, source: str, target: str) -> None:
        """Move a folder, if it exists, to replace another."""
        if not self.local:
            for file in self._below(source):
                self._handler().move(file.path, target + file.path.removeprefix(source))
        elif Path(self.uri, source).is_dir():
            self.remove_folder(target)
            Path(self.uri, target).parent.mkdir(parents=True, exist_ok=True)
            Path(self.uri, source).rename(Path(self.uri, target))
            fsync_dir(Path(self.uri))

    def _below(self, path: str) -> list[FileInfo]:
        """Return the files in a folder of a store, recursively."""
        from pyarrow import fs  # noqa: PLC0415  slow to import, and only files need it

        every = fs.FileSelector(path, allow_not_found=True, recursive=True)
        try:
            found = fs.PyFileSystem(self._handler()).get_file_info(every)
        except FileNotFoundError:
            return []
        return [file for file in found if file.type == fs.FileType.File]

    def _handler(self) -> Any:
        from deltalake.exceptions import TableNotFoundError  # noqa: PLC0415  an extra
        from deltalake.fs import DeltaStorageHandler  # noqa: PLC0415

        try:
            return DeltaStorageHandler(self.uri, self.options.values())
        except TableNotFoundError as error:
            raise FileNotFoundError(self.uri) from error


def checked_folder(path: str) -> str:
    """Return the absolute path of a local folder; raise if it cannot be one."""
    if not path:
        msg = "the path of a data set is empty; pass a folder, such as 'engagement.ds'"
        raise DatasetError(msg)
    full = os.path.abspath(path)  # noqa: PTH100
    if os.path.isfile(full):  # noqa: PTH113
        msg = f"{path} is a file; pass a folder"
        raise DatasetError(msg)
    invalid = _INVALID.search(full)
    if invalid:
        msg = (
            f"deltalake does not support {invalid[0]!r} in a path; pass another folder than {full}"
        )
        raise DatasetError(msg)
    return full
