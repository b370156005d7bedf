"""Generation of the Python code that explorers show."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

IMPORT: Final = "import engagement_pandas as ep"
"""The first line of all code shown."""

_WIDTH: Final = 88
_INDENT: Final = " " * 8


def variable(value: object, name: str) -> str:
    """Return the name of the notebook's variable with this value, or else ``name``.

    The value may be the attribute ``name`` of a variable, such as ``demo.client``.
    """
    from IPython import get_ipython  # noqa: PLC0415 - slow, and only a kernel has variables

    variables = getattr(get_ipython(), "user_ns", {})
    own = {key: held for key, held in variables.items() if not key.startswith("_")}
    names = [key for key, held in own.items() if held is value]
    names += [
        f"{key}.{name}"
        for key, held in own.items()
        if type(held).__module__.startswith("engagement_pandas")
        and getattr(held, name, None) is value
    ]
    return names[0] if names else name


def literal(value: Any) -> str:
    """Return a value as a Python literal, with strings in double quotes."""
    if isinstance(value, str):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))})"
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return repr(value)


def list_of(texts: Iterable[str]) -> str:
    """Return a list of strings as a Python literal, on several lines if it is long."""
    literals = [literal(text) for text in texts]
    inside = ", ".join(literals)
    if len(inside) <= _WIDTH // 2:
        return f"[{inside}]"
    lines = [_INDENT]
    for item in literals:
        if len(lines[-1]) + len(item) >= _WIDTH and lines[-1] != _INDENT:
            lines.append(_INDENT)
        lines[-1] += f"{item}, "
    return "\n".join(["[", *(line.rstrip() for line in lines), "    ]"])


def call(name: str, keywords: Mapping[str, Any], names: Mapping[str, str], *arguments: str) -> str:
    """Return the code of a call of one of the package's functions.

    ``names`` has the keyword arguments whose values are variable names. ``arguments`` are variable
    names too, by default ``selection``.

    >>> call("plot_over_time", {"by": "post_id"}, {"posts": "posts"})
    'ep.plot_over_time(selection, by="post_id", posts=posts)'
    """
    parts = [
        *(arguments or ("selection",)),
        *(f"{key}={literal(value)}" for key, value in keywords.items()),
        *(f"{key}={value}" for key, value in names.items()),
    ]
    line = f"ep.{name}({', '.join(parts)})"
    if len(line) <= _WIDTH:
        return line
    return f"ep.{name}(\n" + "".join(f"    {part},\n" for part in parts) + ")"
