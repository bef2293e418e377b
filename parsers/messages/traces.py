"""Deletion traces: signs in sms.db that something was there.

Gaps in rowids, guids in Apple's lists of purged rows, joins whose other end is gone, references to missing messages,
deleted parts that can still be recovered, and attachment files without a row. What surviving tapbacks quote of a
missing message is its trace's text. A trace is no proof of who deleted what or why; a missing one proves nothing, for
the lists are trimmed.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from bagtag.extract.evidence import Issue, Provenance
from bagtag.extract.files import SMS_DB, Files
from bagtag.extract.sqlite import DamagedError, Database
from bagtag.parsers.artifact import ROW_FAULTS, Account, artifact, short
from bagtag.parsers.cells import integer, stored, text
from bagtag.parsers.messages import joins, references
from bagtag.parsers.messages.gaps import EXPLANATIONS, LISTS, TABLES, Gap, gaps, in_cloud
from bagtag.parsers.messages.leftover_files import leftover_files
from bagtag.parsers.messages.moments import moment
from bagtag.parsers.messages.parts import deleted_text
from bagtag.parsers.messages.quotes import SAID
from bagtag.parsers.names import Names
from bagtag.parsers.records import DeletionTrace, Record
from bagtag.parsers.schema import either

_OWNERS = {
    "deleted_messages": ("message", "Messages listed this guid when the message was purged"),
    "sync_deleted_messages": ("message", "the purge of this message was not yet told to iCloud"),
    "sync_deleted_attachments": ("attachment", "the purge of this attachment was not yet told to iCloud"),
    "sync_deleted_chats": ("chat", "the deletion of this chat was not yet told to iCloud"),
    "unsynced_removed_recoverable_messages": ("message", "removed from Recently Deleted, not yet told to iCloud"),
    "scheduled_messages_pending_cloudkit_delete": (
        "message",
        "a Send Later that was cancelled, not yet told to iCloud",
    ),
}
"""Lists of purged rows: the table their guids are of, and what stands in them."""
_OF_PART = re.compile(r"at_(\d{1,9})_(.+)", re.DOTALL)
"""An attachment's guid: part number and guid of its message."""
_MOST_CHATS = 50
Found = Iterator[DeletionTrace | Issue]
Kind = Literal["gap", "trailing-gap", "deleted-guid", "dangling-join", "dangling-reference", "unreferenced-file",
               "recoverable-part"]  # fmt: skip


@artifact(
    name="deletion_traces",
    title="deletion traces",
    places=(SMS_DB,),
    writes=(DeletionTrace,),
    tables=(*joins.ENDS, "recoverable_message_part", *LISTS),
)
def deletion_traces(database: Database, files: Files, names: Names, account: Account) -> Iterator[Record | Issue]:  # noqa: ARG001 - a parser's signature
    """Yield a `DeletionTrace` for each sign, kind by kind, and reconcile the join tables and Apple's lists."""
    if not {"message", "handle"} <= database.tables:
        for table in (*joins.ENDS, "recoverable_message_part", *LISTS):
            if table in database.tables:
                account.reported(table, database.count(table))
        return
    traces = _Traces(database, files, account)
    for step in (
        traces.missing_messages, traces.dangling_joins, traces.gaps, traces.listed, traces.dangling_references,
        traces.recoverable_parts, traces.unreferenced_files,
    ):  # fmt: skip
        try:
            yield from step()
        except (DamagedError, *ROW_FAULTS) as trouble:
            what = f"looking for {step.__name__.replace('_', ' ')} stopped: {trouble or type(trouble).__name__}"
            yield Issue(effect="lost", what=what, where=database.where)


class _Traces:
    def __init__(self, database: Database, files: Files, account: Account) -> None:
        self._database = database
        self._files = files
        self._account = account
        self._ids: set[str] = set()
        self._joined: dict[int, list[tuple[Any, Any]]] = {}
        self._missing: dict[str, references.Missing] = {}
        self._remembered: dict[int, dict[str, Any]] = {}
        guid = either(database, "chat", "guid", "t")
        query = f"SELECT t.rowid, {guid} FROM chat AS t ORDER BY t.rowid"
        self._chats = dict(database.rows(query)) if "chat" in database.tables else {}
        self._chats_of_guid: dict[str, list[int]] = {}
        for rowid, named in self._chats.items():
            self._chats_of_guid.setdefault(text(named) or "", []).append(rowid)

    def missing_messages(self) -> Found:
        """Look up which messages others name and are gone, for the traces that follow; no trace itself."""
        self._missing = references.missing(self._database)
        for guid, named in self._missing.items():
            for row in named.rows:
                if type(rowid := row.get("message_rowid")) is int:
                    told = {"place": row["column"], "chat": row["rowid"], "rowid": rowid, "guid": guid}
                    self._remembered.setdefault(rowid, told)
        yield from ()

    def dangling_joins(self) -> Found:
        """Join rows with an end that is gone, one trace for each missing row; also what gaps know of their chats."""
        for table, (parent, child) in joins.ENDS.items():
            missing: dict[tuple[str, int], list[tuple[Any, Any]]] = {}
            reported = 0
            for row in joins.dangling(self._database, table):
                reported += 1
                for end in row.missing:
                    missing.setdefault(end, []).append((row.chat, row.date))
            if joins.is_read(self._database, table):
                self._account.reported(table, reported)
                self._account.carried(table, self._database.count(table) - reported)
            for (other, rowid), places in sorted(missing.items()):
                if other == "message":
                    self._joined.setdefault(rowid, []).extend(places)
                yield self._trace(
                    "dangling-join", table, rowid, rowids=[(rowid, rowid)], chats=[chat for chat, _ in places],
                    dates=[moment(date)[0] for _, date in places],
                    explanations=[f"{other} {rowid} existed; its row is gone", *EXPLANATIONS[other][:1]],
                    neighbours=[{"table": other, "rowid": rowid, "joined_as": f"{parent}, {child}"}],
                )  # fmt: skip

    def gaps(self) -> Found:
        """Missing rowids of the tables that count, those of messages with what joins and chats still tell of them."""
        joined, remembered = sorted(self._joined), sorted(self._remembered)
        for table in TABLES:
            for gap in gaps(self._database, table):
                chats: list[Any] = []
                dates: list[str | None] = [*gap.dates]
                explanations, neighbours = list(gap.explanations), list(gap.neighbours)
                if table == "message":
                    known = _between(remembered, gap)
                    if known:
                        explanations.insert(0, f"{len(known)} of these rows existed: chats remember their guids")
                    for rowid in known[:_MOST_CHATS]:
                        neighbours.append(self._remembered[rowid])
                        chats.append(self._remembered[rowid]["chat"])
                    proved = _between(joined, gap)
                    if proved:
                        explanations.insert(0, f"{len(proved)} of these rows existed: joins still name them")
                    for rowid in proved[:_MOST_CHATS]:
                        chats.extend(chat for chat, _ in self._joined[rowid])
                        dates.extend(moment(date)[0] for _, date in self._joined[rowid])
                yield self._trace(
                    "trailing-gap" if gap.trailing else "gap", table, gap.first, rowids=[(gap.first, gap.last)],
                    neighbours=neighbours, chats=chats, dates=dates, explanations=explanations,
                )  # fmt: skip

    def listed(self) -> Found:
        """Guids in Apple's lists of purged rows, with the surviving rows that name them."""
        self._database.function("attached_to", 1, _attached_to)
        for table, column in LISTS.items():
            if column not in self._database.columns(table):
                continue
            owner, explanation = _OWNERS[table]
            names = ("timestamp", "recordID", "chat_guid", "part_index")
            cells = ", ".join(either(self._database, table, name, "t") for name in names)
            query = (
                f"SELECT t.{column}, t.rowid, m.rowid, o.rowid, {cells} FROM {table} AS t "
                f"{self._named(owner, 'm', f't.{column}')} {self._named('message', 'o', f'attached_to(t.{column})')} "
                "ORDER BY 2, 3, 4"
            )
            told: int | None = None
            for row in self._database.rows(query):
                if row[1] != told:
                    yield self._listed(table, explanation, row)
                told = row[1]

    def _named(self, table: str, alias: str, guid: str) -> str:
        """SQL that joins the row of this guid, or nothing where the table cannot have one."""
        if "guid" not in self._database.columns(table):
            return f"LEFT JOIN (SELECT NULL AS rowid) AS {alias} ON 0"
        return f"LEFT JOIN {table} AS {alias} ON {alias}.guid = {guid}"

    def _listed(self, table: str, explanation: str, row: tuple[Any, ...]) -> DeletionTrace:
        value, rowid, alive, of_message, at, record, chat_guid, part = row
        guid = text(value)
        named = self._missing.get(guid or "", references.Missing())
        chats = sorted(named.chats)
        explanations = [explanation]
        neighbours = list(named.rows)
        owner = _OWNERS[table][0]
        if alive is not None and part is not None:
            explanations.append(f"{owner} {alive} is there: a part of it was removed")
        elif alive is not None:
            explanations.append(f"{owner} {alive} has this guid again, after a restore or synchronisation")
        facts = {"record_id": text(record), "chat_guid": text(chat_guid), "part_index": integer(part)}
        facts = {name: fact for name, fact in facts.items() if fact is not None}
        if facts:
            neighbours.append({"listed_in": table, "rowid": rowid, **facts})
            chats.extend(self._chats_of_guid.get(text(chat_guid) or "", []))
        of_part = _OF_PART.fullmatch(guid) if owner == "attachment" and guid is not None else None
        if of_part is not None:
            neighbours.append({"message_guid": of_part[2], "part": int(of_part[1]), "rowid": of_message})
            chats.extend(sorted(self._missing[of_part[2]].chats) if of_part[2] in self._missing else [])
        if named.words is not None:
            explanations.append(SAID)
        return self._trace(
            "deleted-guid", table, guid or str(rowid), rowids=[(rowid, rowid)], guid=guid, neighbours=neighbours,
            chats=chats, dates=[moment(at)[0], *named.dates], explanations=explanations, words=named.words, rowid=rowid,
        )  # fmt: skip

    def dangling_references(self) -> Found:
        """Missing messages that surviving rows name."""
        cloud = ["Messages in iCloud: it may be there alone"] if in_cloud(self._database, "message") else []
        for guid, named in self._missing.items():
            yield self._trace(
                "dangling-reference", "message", guid, rowids=named.rowids.runs, guid=guid, neighbours=named.rows,
                chats=sorted(named.chats), dates=named.dates, words=named.words,
                explanations=["the message was deleted", "the message never reached this device", *cloud,
                              *([SAID] if named.words is not None else [])],
            )  # fmt: skip

    def recoverable_parts(self) -> Found:
        """Deleted parts of messages, with their words."""
        table = "recoverable_message_part"
        if "message_id" not in self._database.columns(table):
            return
        names = ("chat_id", "part_index", "delete_date", "part_text")
        cells = ", ".join(either(self._database, table, name, "t") for name in names)
        guid = either(self._database, "message", "guid", "m")
        query = (
            f"SELECT t.message_id, t.rowid, {cells}, {guid}, m.rowid FROM {table} AS t "
            "LEFT JOIN message AS m ON m.rowid = t.message_id ORDER BY 1, 2"
        )
        for message, rowid, chat, part, date, words, named, alive in self._database.rows(query):
            reports: list[str] = []
            place = integer(message)
            gone = [] if alive is not None else ["the message itself is gone"]
            yield self._trace(
                "recoverable-part", table, place if place is not None else rowid,
                rowids=[(place, place)] if place is not None else [], guid=text(named), chats=[chat],
                neighbours=[{"message": place, "part": integer(part)}], dates=[moment(date)[0]],
                explanations=["a part of a message was deleted and lies in Recently Deleted", *gone],
                words=deleted_text(words, reports.append), rowid=rowid,
            )  # fmt: skip
            for what in reports:
                yield Issue(effect="partial", what=what, where=self._database.at(table, rowid))

    def unreferenced_files(self) -> Found:
        """Attachment files of the backup that no row names."""
        for facts, explanations in leftover_files(self._database, self._files):
            yield DeletionTrace(
                id=f"trace/{facts.file_id[:8]}/file/{facts.file_id}",
                kind="unreferenced-file",
                table=None,
                path=stored(facts.relative_path or ""),
                explanations=explanations,
                provenance=Provenance(
                    file_id=facts.file_id, domain=facts.domain, relative_path=facts.relative_path, sha256=facts.sha256
                ),
            )

    def _trace(
        self, kind: Kind, table: str, key: int | str, *, rowids: list[tuple[int, int]],
        neighbours: list[dict[str, Any]], chats: list[Any], dates: Sequence[str | None], explanations: list[str],
        guid: str | None = None, words: str | None = None, rowid: int | None = None,
    ) -> DeletionTrace:  # fmt: skip
        return DeletionTrace(
            id=self._free_id(f"trace/{short(self._database.where)}/{table}/{key}"),
            kind=kind,
            table=table,
            rowids=rowids,
            guid=guid,
            neighbours=neighbours,
            chats=[self._chat(chat) for chat in dict.fromkeys(chats) if type(chat) is int][:_MOST_CHATS],
            dates=sorted({date for date in dates if date is not None}),
            explanations=explanations,
            text=words,
            provenance=self._database.at(table, rowid),
        )

    def _chat(self, rowid: int) -> dict[str, Any]:
        return {"rowid": rowid, "guid": text(self._chats.get(rowid))}

    def _free_id(self, wanted: str) -> str:
        """The id, or with a number behind it where a trace has it already."""
        found, number = wanted, 1
        while found in self._ids:
            number += 1
            found = f"{wanted}-{number}"
        self._ids.add(found)
        return found


def _between(rowids: list[int], gap: Gap) -> list[int]:
    return rowids[bisect_left(rowids, gap.first) : bisect_left(rowids, gap.last + 1)]


def _attached_to(guid: Any) -> str | None:
    """The guid of the message in an attachment's guid."""
    found = _OF_PART.fullmatch(guid) if isinstance(guid, str) else None
    return found[2] if found else None
