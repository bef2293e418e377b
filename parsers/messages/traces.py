"""Deletion traces: signs in sms.db that something was there.

Gaps in rowids, guids in Apple's lists of purged rows, joins whose other end is gone, references to missing messages,
deleted parts that can still be recovered, and attachment files without a row. A trace is no proof of who deleted what
or why; a missing one proves nothing, for the lists are trimmed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from bagtag.extract.evidence import Issue, Provenance
from bagtag.extract.files import SMS_DB, Files
from bagtag.extract.sqlite import DamagedError, Database
from bagtag.parsers.artifact import ROW_FAULTS, Account, artifact, short
from bagtag.parsers.cells import integer, stored, text
from bagtag.parsers.messages import joins, references
from bagtag.parsers.messages.gaps import EXPLANATIONS, gaps
from bagtag.parsers.messages.leftover_files import leftover_files
from bagtag.parsers.messages.moments import moment
from bagtag.parsers.messages.parts import deleted_text
from bagtag.parsers.names import Names
from bagtag.parsers.records import DeletionTrace, Record
from bagtag.parsers.schema import either

_LISTS = {
    "deleted_messages": ("guid", "Messages listed this guid when the message was purged"),
    "sync_deleted_messages": ("guid", "the purge of this message was not yet told to iCloud"),
    "sync_deleted_attachments": ("guid", "the purge of this attachment was not yet told to iCloud"),
    "sync_deleted_chats": ("guid", "the deletion of this chat was not yet told to iCloud"),
    "unsynced_removed_recoverable_messages": ("message_guid", "removed from Recently Deleted, not yet told to iCloud"),
    "scheduled_messages_pending_cloudkit_delete": ("guid", "a Send Later that was cancelled, not yet told to iCloud"),
}
_MOST_CHATS = 50
Found = Iterator[DeletionTrace | Issue]
Kind = Literal["gap", "trailing-gap", "deleted-guid", "dangling-join", "dangling-reference", "unreferenced-file",
               "recoverable-part"]  # fmt: skip


@artifact(
    name="deletion_traces",
    title="deletion traces",
    places=(SMS_DB,),
    writes=(DeletionTrace,),
    tables=(*joins.ENDS, "recoverable_message_part", *_LISTS),
)
def deletion_traces(database: Database, files: Files, names: Names, account: Account) -> Iterator[Record | Issue]:  # noqa: ARG001 - a parser's signature
    """Yield a `DeletionTrace` for each sign, kind by kind, and reconcile the join tables and Apple's lists."""
    if not {"message", "handle"} <= database.tables:
        for table in (*joins.ENDS, "recoverable_message_part", *_LISTS):
            if table in database.tables:
                account.reported(table, database.count(table))
        return
    traces = _Traces(database, files, account)
    for step in (
        traces.dangling_joins, traces.gaps, traces.listed, traces.dangling_references, traces.recoverable_parts,
        traces.unreferenced_files,
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
        guid = either(database, "chat", "guid", "t")
        query = f"SELECT t.rowid, {guid} FROM chat AS t ORDER BY t.rowid"
        self._chats = dict(database.rows(query)) if "chat" in database.tables else {}

    def dangling_joins(self) -> Found:
        """Join rows with an end that is gone, one trace for each missing row; also what gaps know of their chats."""
        for table, (parent, child) in joins.ENDS.items():
            missing: dict[tuple[str, int], list[tuple[Any, Any]]] = {}
            for row in joins.rows(self._database, table):
                ends = row.missing
                if not ends:
                    self._account.carried(table)
                    continue
                self._account.reported(table)
                for end in ends:
                    missing.setdefault(end, []).append((row.chat, row.date))
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
        """Missing rowids of the tables that count."""
        rowids = sorted(self._joined)
        for table in EXPLANATIONS:
            for gap in gaps(self._database, table):
                chats: list[Any] = []
                dates: list[str | None] = [*gap.dates]
                explanations = list(gap.explanations)
                if table == "message":
                    proved = rowids[bisect_left(rowids, gap.first) : bisect_left(rowids, gap.last + 1)]
                    for rowid in proved[:_MOST_CHATS]:
                        chats.extend(chat for chat, _ in self._joined[rowid])
                        dates.extend(moment(date)[0] for _, date in self._joined[rowid])
                    if proved:
                        explanations.insert(0, f"{len(proved)} of these rows existed: joins still name them")
                yield self._trace(
                    "trailing-gap" if gap.trailing else "gap", table, gap.first, rowids=[(gap.first, gap.last)],
                    neighbours=gap.neighbours, chats=chats, dates=dates, explanations=explanations,
                )  # fmt: skip

    def listed(self) -> Found:
        """Guids in Apple's lists of purged rows, with the surviving rows that name them."""
        self._missing = references.missing(self._database)
        for table, (column, explanation) in _LISTS.items():
            if column not in self._database.columns(table):
                continue
            stamp = either(self._database, table, "timestamp", "t")
            query = (
                f"SELECT t.{column}, t.rowid, {stamp}, m.rowid FROM {table} AS t "
                f"LEFT JOIN message AS m ON m.guid = t.{column} ORDER BY t.rowid"
            )
            for value, rowid, at, alive in self._database.rows(query):
                guid = text(value)
                named = self._missing.get(guid or "", references.Missing())
                explanations = [explanation]
                if alive is not None:
                    explanations.append(f"message {alive} has this guid again, after a restore or synchronisation")
                yield self._trace(
                    "deleted-guid", table, guid or str(rowid), rowids=[(rowid, rowid)], guid=guid,
                    neighbours=named.rows, chats=sorted(named.chats), dates=[moment(at)[0], *named.dates],
                    explanations=explanations, rowid=rowid,
                )  # fmt: skip

    def dangling_references(self) -> Found:
        """Missing messages that surviving rows name."""
        for guid, named in self._missing.items():
            yield self._trace(
                "dangling-reference", "message", guid, rowids=named.rowids.runs, guid=guid, neighbours=named.rows,
                chats=sorted(named.chats), dates=named.dates,
                explanations=["the message was deleted", "the message never reached this device"],
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
