"""Step 12, references: each file that a record or an inventory row names lies in the bag, with that digest.

Digests alone cannot show this: a folder may agree with itself and yet hold records that point nowhere.
"""

from __future__ import annotations

from typing import Any

from bagtag.reports.bundle.manifest import Lookup


def astray(record: dict[str, Any], sealed: Lookup) -> str | None:
    """What is wrong with the files that a row, or an attachment of it, names; None when all are as it says."""
    attachments = record.get("attachments")
    for owner in (record, *(attachments if isinstance(attachments, list) else ())):
        if not isinstance(owner, dict) or not isinstance(path := owner.get("bag_path"), str):
            continue
        plain = owner.get("plain")
        sha256 = owner["sha256"] if "sha256" in owner else plain.get("sha256") if isinstance(plain, dict) else None
        if not isinstance(sha256, str):
            continue
        listed = sealed.digest(path.encode("utf-8", "backslashreplace"))
        if listed is None:
            return f"names {path}, which the bag does not hold"
        if listed != sha256:
            return f"says another sha256 of {path} than the manifest"
    return None
