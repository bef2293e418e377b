"""The bytes of an attachment's file, for the little that no column tells: an effect, a type."""

from __future__ import annotations

from bagtag.extract.files import FileFacts, Files


def first_bytes(files: Files, facts: FileFacts, most: int) -> bytes:
    """At most `most` first bytes of a file; none where they are not at hand."""
    if facts.domain is None or facts.relative_path is None:
        return b""
    return files.content(facts.domain, facts.relative_path, most) or b""
