"""Rows of symbolic links whose targets lie in the tree, outside of it, or nowhere.

Known from device links, whose target is an absolute device path or relative. A link is never made, only told.
"""

from __future__ import annotations

from collections.abc import Callable

from bagtag.sample_backups.entry import SYMLINK, Entry
from bagtag.sample_backups.faults.fault import BOTH, DOMAIN, Fault, text
from bagtag.sample_backups.plan import Plan


def _link(name: str, target: str | None) -> Callable[[Plan], None]:
    def apply(plan: Plan) -> None:
        plan.entries.append(Entry(DOMAIN, f"Documents/{name}", SYMLINK, protection_class=0, target=target))

    return apply


def _inside(plan: Plan) -> None:
    plan.entries.append(Entry(DOMAIN, "Documents/link-target.txt", content=text("link-inside")))
    _link("link-inside", "link-target.txt")(plan)


def _below(plan: Plan) -> None:
    """A file whose folder is a link: no device can have it."""
    _link("link-folder", "/tmp")(plan)  # noqa: S108 -- a target that is never opened
    path = "Documents/link-folder/inside.txt"
    plan.entries.append(Entry(DOMAIN, path, content=text("link-folder"), renamed=True))


FAULTS = (
    Fault("link-inside", "a link to the file beside it", "symlink, its target told", _inside, ios=BOTH),
    Fault(
        "link-outside",
        "a link to ../../../../etc/passwd",
        "symlink, its target told, no link made",
        _link("link-outside", "../../../../etc/passwd"),
        ios=BOTH,
    ),
    Fault("link-folder", "a link to /tmp, and a file below it", "symlink; the file ok and renamed", _below),
    Fault("link-without-target", "a link without a target", "symlink", _link("link-without-target", None)),
)
