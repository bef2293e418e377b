"""Faults of the index itself: cut, replaced, altered in its schema, with logs and journals beside it.

Known from damaged sets and from what an SQLite file can be made to do to whoever opens it: views that never end,
triggers, columns that are computed. Of an encrypted set the database is altered before it is sealed.
"""

from __future__ import annotations

from collections.abc import Callable

from bagtag.sample_backups import database, mbdb
from bagtag.sample_backups.entry import Entry
from bagtag.sample_backups.faults.fault import MBDB, MODERN, Fault, text
from bagtag.sample_backups.plan import BytesEdit, Plan

Apply = Callable[[Plan], None]

LAST_DOMAIN = "ZDomain"
"""Sorts behind every other."""

WITHOUT_ROWID = (
    "ALTER TABLE Files RENAME TO Old",
    (
        "CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB) "
        "WITHOUT ROWID"
    ),
    "INSERT INTO Files SELECT * FROM Old",
    "DROP TABLE Old",
)
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
ENDLESS_VIEW = (
    "ALTER TABLE Files RENAME TO Hidden",
    (
        f"CREATE VIEW Files AS {ENDLESS} "
        "SELECT i AS fileID, 'D' AS domain, 'p' AS relativePath, 1 AS flags, NULL AS file FROM n"
    ),
)


def _statements(*statements: str) -> Apply:
    def apply(plan: Plan) -> None:
        plan.statements += statements

    return apply


def _refused(*statements: str) -> Apply:
    def apply(plan: Plan) -> None:
        plan.statements += statements
        plan.refuse(3, "Files")

    return apply


def _image(edit: BytesEdit) -> Apply:
    def apply(plan: Plan) -> None:
        plan.image_edits.append(edit)
        plan.refuse(3, plan.era.index)

    return apply


def _stored(edit: BytesEdit) -> Apply:
    def apply(plan: Plan) -> None:
        plan.stored_edits.append(edit)
        plan.refuse(3, plan.era.index)

    return apply


def _beside(ending: str, content: bytes, *issue: str) -> Apply:
    def apply(plan: Plan) -> None:
        plan.beside(f"{plan.era.index}{ending}", content)
        plan.issue = list(issue)

    return apply


def _log(plan: Plan) -> None:
    """One row is in the log alone: the database is written without it, then the log is laid beside it."""
    entry = Entry("AppDomain-com.example.log", "Documents/only in the log.txt", content=text("index-log"))
    plan.entries.append(entry)
    removal = f"DELETE FROM Files WHERE fileID = '{entry.file_id}'"

    def split(image: bytes) -> bytes:
        before = database.after(image, removal)
        plan.beside("Manifest.db-wal", database.wal_between(before, image, b"bagtag!!"))
        return before

    plan.image_edits.append(split)
    plan.issue = ["Manifest.db-wal"]


def _last(plan: Plan) -> Entry:
    entry = Entry(LAST_DOMAIN, "last.txt", content=text("the last record"))
    plan.entries.append(entry)
    return entry


def _cut_records(plan: Plan) -> None:
    """The last record has lost its last ten bytes."""
    _last(plan)
    plan.image_edits.append(lambda image: image[:-10])
    plan.lost, plan.issue = 1, ["Manifest.mbdb"]


def _length_past_end(plan: Plan) -> None:
    """The path of the last record claims more bytes than there are."""
    _last(plan)
    name = mbdb.string("last.txt")
    plan.image_edits.append(lambda image: image.replace(name, b"\xff\xf0" + name[2:]))
    plan.lost, plan.issue = 1, ["Manifest.mbdb"]


def _properties_past_end(plan: Plan) -> None:
    """The last record claims 255 properties and has none."""
    _last(plan)
    plan.image_edits.append(lambda image: image[:-1] + b"\xff")
    plan.lost, plan.issue = 1, ["Manifest.mbdb"]


def _cut(plan: Plan) -> None:
    """Whole pages are gone from the end: which rows they held is SQLite's business."""
    plan.stored_edits.append(lambda image: image[: len(image) // 4096 * 2 // 3 * 4096])
    plan.some_lost, plan.issue = True, ["was cut"]


FAULTS = (
    Fault(
        "index-cut",
        "Manifest.db has lost its last third",
        "what stands before is read; told",
        _cut,
    ),
    Fault("index-empty", "the index has 0 bytes", "3", _stored(lambda _: b""), ios=(MODERN, MBDB)),
    Fault("index-garbage", "Manifest.db is text", "3", _stored(lambda _: b"This was an index once.\n" * 200), "plain"),
    Fault(
        "index-garbage-sealed",
        "what Manifest.db decrypts to is no SQLite database",
        "3",
        _image(lambda image: b"no database " * (len(image) // 12)),
        "encrypted",
    ),
    Fault(
        "index-pages-damaged",
        "the second page and all after it are overwritten with zeros",
        "3",
        _image(lambda image: image[:4096] + bytes(len(image) - 4096)),
    ),
    Fault(
        "index-generated-column",
        "Files has a computed column more",
        "usable",
        _statements(
            "ALTER TABLE Files ADD COLUMN both TEXT GENERATED ALWAYS AS (domain || '-' || relativePath) VIRTUAL"
        ),
    ),
    Fault(
        "index-extra-columns",
        "Files has two columns more",
        "usable",
        _statements(
            "ALTER TABLE Files ADD COLUMN sha256 BLOB", "ALTER TABLE Files ADD COLUMN note TEXT DEFAULT 'none'"
        ),
    ),
    Fault(
        "index-missing-columns",
        "Files has no relativePath",
        "3",
        _refused("DROP INDEX FilesRelativePathIdx", "ALTER TABLE Files DROP COLUMN relativePath"),
    ),
    Fault("index-no-files", "there is no table Files", "3", _refused("DROP TABLE Files")),
    Fault("index-no-properties", "there is no table Properties", "usable", _statements("DROP TABLE Properties")),
    Fault(
        "index-no-indexes",
        "there are no indexes",
        "usable",
        _statements("DROP INDEX FilesDomainIdx", "DROP INDEX FilesRelativePathIdx", "DROP INDEX FilesFlagsIdx"),
    ),
    Fault(
        "index-triggers",
        "inserting, changing or deleting a row deletes all",
        "usable, no row is lost",
        _statements(
            *(
                f"CREATE TRIGGER boom_{verb} AFTER {verb} ON Files BEGIN DELETE FROM Files; END"
                for verb in ("INSERT", "UPDATE", "DELETE")
            )
        ),
    ),
    Fault(
        "index-view",
        "Files is a view",
        "3",
        _refused("ALTER TABLE Files RENAME TO Hidden", "CREATE VIEW Files AS SELECT * FROM Hidden"),
    ),
    Fault("index-view-endless", "Files is a view that never ends", "3, at once", _refused(*ENDLESS_VIEW)),
    Fault(
        "index-view-beside",
        "a view that never ends lies beside Files",
        "usable",
        _statements(f"CREATE VIEW Beside AS {ENDLESS} SELECT i FROM n"),
    ),
    Fault("index-without-rowid", "Files is a table WITHOUT ROWID", "usable", _statements(*WITHOUT_ROWID)),
    Fault("index-journal", "a -journal of zeros lies beside Manifest.db", "usable", _beside("-journal", bytes(512))),
    Fault("index-log", "a -wal beside Manifest.db holds one row more", "usable with that row; told", _log, "plain"),
    Fault(
        "index-log-garbage",
        "a -wal that is none lies beside Manifest.db",
        "usable; told",
        _beside("-wal", b"garbage " * 1024, "Manifest.db-wal"),
    ),
    Fault("index-log-empty", "a -wal of 0 bytes and a -shm lie beside Manifest.db", "usable", _beside("-wal", b"")),
    Fault(
        "mbdb-cut",
        "Manifest.mbdb ends in the last record",
        "usable: that row is an orphan; told",
        _cut_records,
        ios=(MBDB,),
    ),
    Fault(
        "mbdb-length-past-end",
        "the last record's path claims 65,520 bytes",
        "usable: that row is an orphan; told",
        _length_past_end,
        ios=(MBDB,),
    ),
    Fault(
        "mbdb-properties-past-end",
        "the last record claims 255 properties",
        "usable: that row is an orphan; told",
        _properties_past_end,
        ios=(MBDB,),
    ),
    Fault(
        "mbdb-wrong-magic",
        "Manifest.mbdb begins with mbdx",
        "3",
        _image(lambda image: b"mbdx" + image[4:]),
        ios=(MBDB,),
    ),
    Fault(
        "mbdb-first-record",
        "Manifest.mbdb is cut in its first record",
        "3",
        _image(lambda image: image[:12]),
        ios=(MBDB,),
    ),
)
"""Faults of the index; each needs a sample of its own."""
