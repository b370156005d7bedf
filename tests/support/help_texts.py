"""A process with secrets in its environment that prints what help shows where a secret is in it."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import pydoc
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import engagement_pandas as ep

OWN = "engagement_pandas"


def modules() -> Iterator[ModuleType]:
    """Yield every module of the package; those of the command line too."""
    yield ep
    for found in pkgutil.walk_packages(ep.__path__, f"{OWN}."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def things(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield everything that a module defines or offers, and what is in its classes, by name."""
    for name, value in list(vars(module).items()):
        if isinstance(value, ModuleType) or name in {"__builtins__", "__doc__"}:
            continue
        yield f"{module.__name__}.{name}", value
        if inspect.isclass(value) and value.__module__.startswith(OWN):
            for inner, attribute in list(vars(value).items()):
                yield f"{module.__name__}.{name}.{inner}", attribute
    if module is ep:
        yield from ((name, getattr(ep, name)) for name in ep.__all__)


def texts(value: Any) -> Iterator[str]:
    """Yield what is shown of it: itself, its signature, defaults, fields, help."""
    yield repr(value)
    yield str(getattr(value, "__doc__", ""))
    for function in (value, *(getattr(value, n, None) for n in ("fget", "func", "__func__"))):
        yield repr(getattr(function, "__defaults__", None))
        yield repr(getattr(function, "__kwdefaults__", None))
        if callable(function):
            try:
                yield str(inspect.signature(function))
            except (TypeError, ValueError):
                continue
    if inspect.isclass(value) and dataclasses.is_dataclass(value):
        yield repr([(field.default, field.default_factory) for field in dataclasses.fields(value)])


def main(canary: str) -> None:
    """Print the names of which a text holds the canary, then how many were looked at."""
    for shown in (ep, *(getattr(ep, name) for name in ep.__all__)):
        if canary in pydoc.render_doc(shown):
            print(f"help({shown})")  # noqa: T201 - read by a test
    looked: dict[int, Any] = {}  # what is imported is looked at where it is from
    for module in modules():
        for name, value in things(module):
            foreign = not str(getattr(value, "__module__", OWN)).startswith(OWN)
            if id(value) in looked or (foreign and callable(value)):
                continue
            looked[id(value)] = value
            if any(canary in text for text in texts(value)):
                print(name)  # noqa: T201 - read by a test
    print(len(looked))  # noqa: T201 - read by a test


if __name__ == "__main__":
    main(sys.argv[1])
