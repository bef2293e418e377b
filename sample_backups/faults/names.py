"""Names that hurt: paths that leave the folder, and letters or spellings that some file system cannot hold.

Known from attacks on readers and from what Windows, macOS and Linux refuse in a name or take for the same. None of
these files is damaged: its bytes are kept, under another name where need be.
"""

from __future__ import annotations

from collections.abc import Callable

from bagtag.sample_backups.entry import Entry
from bagtag.sample_backups.faults.fault import BOTH, DOMAIN, Fault, text
from bagtag.sample_backups.plan import Plan

Apply = Callable[[Plan], None]
UNSAFE, RENAMED = "unsafe-path; the bytes are kept under another name", "ok, renamed"


def _unsafe(name: str, path: str, domain: str = DOMAIN) -> Apply:
    def apply(plan: Plan) -> None:
        plan.entries.append(Entry(domain, path, content=text(name), outcome="unsafe-path", renamed=True))

    return apply


def _renamed(name: str, *paths: str) -> Apply:
    def apply(plan: Plan) -> None:
        plan.entries += [Entry(DOMAIN, path, content=text(f"{name} {path}"), renamed=True) for path in paths]

    return apply


def _kept(name: str, *pairs: tuple[str, str], renamed: bool = False) -> Apply:
    def apply(plan: Plan) -> None:
        for domain, path in pairs:
            plan.entries.append(Entry(domain, path, content=text(f"{name} {domain} {path}"), renamed=renamed))

    return apply


FAULTS = (
    Fault(
        "absolute-path", "/outside-absolute.txt", UNSAFE, _unsafe("absolute-path", "/outside-absolute.txt"), ios=BOTH
    ),
    Fault("apostrophe-name", "it's here.txt", "ok", _kept("apostrophe-name", (DOMAIN, "Documents/it's here.txt"))),
    Fault(
        "backslash-name",
        r"..\..\evil.txt in one component",
        RENAMED,
        _renamed("backslash-name", "Documents/..\\..\\evil.txt"),
    ),
    Fault(
        "bidi-name",
        "a right-to-left override before gnp.exe",
        "ok",
        _kept("bidi-name", (DOMAIN, "Documents/\u202egnp.exe")),
    ),
    Fault(
        "case-twins",
        "Twin.txt and twin.txt",
        "both ok and renamed",
        _renamed("case-twins", "Documents/Twin.txt", "Documents/twin.txt"),
    ),
    Fault(
        "control-name",
        "a name that clears a terminal",
        RENAMED,
        _renamed("control-name", "Documents/\x1b[2J\x07.txt"),
    ),
    Fault("dot-folder", "a folder named .", RENAMED, _renamed("dot-folder", "Documents/./dot.txt")),
    Fault(
        "drive-letter",
        "a path that begins with C:",
        RENAMED,
        _renamed("drive-letter", "C:/Windows/outside-drive.txt"),
    ),
    Fault(
        "file-as-folder",
        "leaf, and leaf/inside.txt",
        "both ok and renamed",
        _renamed("file-as-folder", "Documents/leaf", "Documents/leaf/inside.txt"),
    ),
    Fault(
        "folder-twins",
        "Shelf/a.txt and shelf/b.txt",
        "both ok and renamed",
        _renamed("folder-twins", "Documents/Shelf/a.txt", "Documents/shelf/b.txt"),
    ),
    Fault("glob-name", "a name of glob letters", RENAMED, _renamed("glob-name", "Documents/[ab]*?.txt")),
    Fault("long-name", "a name of 300 bytes", RENAMED, _renamed("long-name", "Documents/" + "n" * 296 + ".txt")),
    Fault(
        "long-path",
        "a path of more than 150 code points, each name short",
        RENAMED,
        _renamed("long-path", "/".join(["Documents", *["folder"] * 20, "end.txt"])),
    ),
    Fault("newline-name", "a name of two lines", RENAMED, _renamed("newline-name", "Documents/two\nlines.txt")),
    Fault(
        "normal-form-twins",
        "one name in NFC and in NFD",
        "both ok and renamed",
        _renamed("normal-form-twins", "Documents/caf\u00e9.txt", "Documents/cafe\u0301.txt"),
        ios=BOTH,
    ),
    Fault("nul-name", "a NUL in a name", UNSAFE, _unsafe("nul-name", "Documents/nul\0name.txt"), ios=BOTH),
    Fault(
        "percent-domain",
        "a domain with %",
        RENAMED,
        _kept("percent-domain", ("AppDomain-com.example.100%", "Documents/a.txt"), renamed=True),
    ),
    Fault("percent-name", "100%25.txt", RENAMED, _renamed("percent-name", "Documents/100%25.txt")),
    Fault("reserved-name", "CON.txt", RENAMED, _renamed("reserved-name", "Documents/CON.txt")),
    Fault(
        "reserved-names",
        "aux, NUL.tar.gz, com1.txt, a folder PRN",
        "all ok and renamed",
        _renamed("reserved-names", "Documents/aux", "Documents/NUL.tar.gz", "Documents/com1.txt", "PRN/inside.txt"),
    ),
    Fault(
        "reserved-domain",
        "a domain named _renamed",
        RENAMED,
        _kept("reserved-domain", ("_renamed", "Documents/a.txt"), renamed=True),
    ),
    Fault("stream-name", "file.txt:stream", RENAMED, _renamed("stream-name", "Documents/file.txt:stream")),
    Fault(
        "trailing-dot",
        "names, and a folder, that end in a dot or a space",
        "all ok and renamed",
        _renamed("trailing-dot", "Documents/dot.", "Documents/space ", "Documents/folder./inside.txt"),
    ),
    Fault(
        "underscore-domain",
        "AppDomain-a_b and AppDomain-aXb with the same path",
        "both ok, each with its own bytes",
        _kept("underscore-domain", ("AppDomain-a_b", "Documents/same.txt"), ("AppDomain-aXb", "Documents/same.txt")),
        ios=BOTH,
    ),
    Fault("unsafe-domain", "the domain is ../../evil", UNSAFE, _unsafe("unsafe-domain", "outside.txt", "../../evil")),
    Fault(
        "unsafe-path",
        "../../outside-relative.txt",
        UNSAFE,
        _unsafe("unsafe-path", "../../outside-relative.txt"),
        ios=BOTH,
    ),
)
"""Faults of names; they can live together in one sample."""
