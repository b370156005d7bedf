"""A process that prints the names whose help text contains a secret of its environment."""

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
    """Yield every module of the package, including the command line."""
    yield ep
    for module in pkgutil.walk_packages(ep.__path__, f"{OWN}."):
        if not module.name.endswith("__main__"):
            yield importlib.import_module(module.name)


def named_values(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield all names and values of a module, and of its classes."""
    for name, value in list(vars(module).items()):
        if isinstance(value, ModuleType) or name in {"__builtins__", "__doc__"}:
            continue
        yield f"{module.__name__}.{name}", value
        if inspect.isclass(value) and value.__module__.startswith(OWN):
            for inner, attribute in list(vars(value).items()):
                yield f"{module.__name__}.{name}.{inner}", attribute
    if module is ep:
        yield from ((name, getattr(ep, name)) for name in dir(ep))


def texts(value: Any) -> Iterator[str]:
    """Yield all displayed texts of a value: repr, help, signature, defaults, fields."""
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
    """Print the names with a text that contains the canary, then the number of values checked."""
    for value in (ep, *(getattr(ep, name) for name in dir(ep))):
        if canary in pydoc.render_doc(value):
            print(f"help({value})")  # noqa: T201 - read by a test
    checked: dict[int, Any] = {}  # imported values are checked in their own module
    for module in modules():
        for name, value in named_values(module):
            foreign = not str(getattr(value, "__module__", OWN)).startswith(OWN)
            if id(value) in checked or (foreign and callable(value)):
                continue
            checked[id(value)] = value
            if any(canary in text for text in texts(value)):
                print(name)  # noqa: T201 - read by a test
    print(len(checked))  # noqa: T201 - read by a test


if __name__ == "__main__":
    main(sys.argv[1])
