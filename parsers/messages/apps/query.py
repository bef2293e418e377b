"""The query of an app's URL: where an extension keeps what it sends, as `name=value` pairs behind a question mark.

Apple's URL components decode percent signs and leave `+` as it is, which matters for Base64 in values. Such a URL need
not be one of any scheme: `?messageType=1` and `data:?ver=48` are both met.
"""

from __future__ import annotations

from urllib.parse import unquote

MAX_PAIRS = 1000


def query(url: str) -> dict[str, str | list[str]]:
    """Values by name; a name that is there several times has a list. What follows the first 1,000 pairs is left out."""
    found: dict[str, list[str]] = {}
    for pair in url.partition("?")[2].partition("#")[0].split("&", MAX_PAIRS)[:MAX_PAIRS]:
        if pair:
            name, _, value = pair.partition("=")
            found.setdefault(unquote(name), []).append(unquote(value))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def single(pairs: dict[str, str | list[str]], name: str) -> str | None:
    """The value of a name that is there once."""
    value = pairs.get(name)
    return value if isinstance(value, str) else None
