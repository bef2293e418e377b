"""The draft of a certification under the Federal Rules of Evidence, rule 902(13) and (14).

902(13) is about a record that an electronic process made, 902(14) about data copied from a device or file and
identified by digest; both want the certification of a qualified person, in the form of 902(11) or (12), and notice to
the other side. The person certifies, never a program: what the folder tells is printed as what the folder tells, every
statement waits for a tick of the declarant's pen, and everything else is a blank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bagtag.custody.line import Artifact
from bagtag.custody.log import open_intents
from bagtag.reports.html.clock import Clock
from bagtag.reports.paper import certificate_wording as wording
from bagtag.reports.paper import words
from bagtag.reports.paper.document import (
    BLANK,
    Blank,
    Block,
    Cell,
    Digest,
    Document,
    Facts,
    Heading,
    Lines,
    Prose,
    Table,
    Ticks,
    Together,
    Words,
    said,
)
from bagtag.reports.paper.folder import Counts, Folder, Logged


def document(folder: Folder, counts: Counts, exhibits: Sequence[Artifact], clock: Clock) -> Document:
    """The draft for this folder with these exhibits."""
    return Document(
        title="Certification of electronic evidence under Fed. R. Evid. 902(13) and 902(14) (draft)",
        mark=wording.MARK,
        running=words.running(folder),
        bag_digest=folder.bag.sha256,
        created=folder.last_at,
        blocks=(
            Prose(wording.INTRODUCTION, strong=True),
            *_caption(),
            *_declarant(folder),
            *_item(folder, clock),
            *_steps(folder, clock),
            *_statements(folder),
            *_digests(folder, clock),
            *_findings(folder, counts),
            *_exhibits(exhibits),
            *_notice(),
            *_declaration(),
        ),
    )  # fmt: skip


def _caption() -> tuple[Block, ...]:
    return (
        Heading("1  Court and case"),
        Facts((("Court", BLANK), ("Caption (parties)", BLANK), ("Docket number", BLANK))),
    )


def _declarant(folder: Folder) -> tuple[Block, ...]:
    examiner = folder.label("Evidence-Examiner")
    return (
        Heading("2  Declarant"),
        Facts(
            (
                ("Name", BLANK),
                ("Employer", BLANK),
                ("Title or role", BLANK),
                ("Qualifications, training, certifications", (Blank(), Blank())),
                ("Basis of personal knowledge", (Blank(), Blank())),
                ("Examiner named in the folder", said(examiner)),
                ("Agency named in the folder", said(folder.label("Source-Organization"))),
            )
        ),
        Prose(wording.NAMES_AN_EXAMINER),
    )


def _item(folder: Folder, clock: Clock) -> tuple[Block, ...]:
    label, device = folder.label, folder.device
    made = words.moment(clock, device.backup_at) if device.backup_at else None
    return (
        Heading("3  The item"),
        Facts(
            (
                ("Case number", said(folder.case)),
                ("Item number", said(folder.item)),
                ("Exhibit reference", said(label("Evidence-Exhibit-Reference"))),
                ("Authority", said(label("Evidence-Legal-Authority"))),
                ("Kind of data", (Words(words.KIND),)),
                ("Source device, as the folder’s label names it", said(label("Evidence-Source-Device"))),
                ("Source device, as the backup describes it", said(words.described(device))),
                ("Identifier of the backup", said(label("Evidence-Source-Backup-Id"))),
                ("Backup made, by the backup’s own date", said(made)),
                ("Program that made the backup", said(device.host_software)),
                ("Person who made the backup", BLANK),
                ("Received from, when, where and how", (Blank(), Blank())),
                ("Encryption", said(label("Evidence-Encryption"))),
                ("Run of the program", said(label("Evidence-Run-Id"))),
            )
        ),
        Prose(wording.UNAUTHENTICATED),
    )


def _steps(folder: Folder, clock: Clock) -> tuple[Block, ...]:
    still_open = {intent.seq for intent in open_intents(iter([one.line for one in folder.lines]))}
    shown = [one for one in folder.lines if one.line.result != "begun" or one.number in still_open]
    rows = tuple(_step(one, clock) for one in shown)
    tools = dict.fromkeys(_tool(one) for one in folder.lines)
    return (
        Heading("4  Steps, as the custody log records them"),
        Table("Steps", ("Line", "Step", "Date and time", "By, on which computer", "Record"), (2, 4, 8, 6, 12), rows),
        Prose(
            f"All times: {clock.name}. The intent that precedes each step is left out here, and the making of this "
            "draft is recorded after the last line that was read. The log does not tell where a computer stood."
        ),
        Facts((words.reach(folder), ("Places where the steps were done", (Blank(), Blank())))),
        Facts(
            (
                ("Program and parts that decide its result, by the log", (Words("\n".join(tools)),)),
                ("Program that sealed the bag, by its label", said(folder.label("Bag-Software-Agent"))),
                ("SHA-256 of the installed program", BLANK),
                ("Validation of the program (report, date)", BLANK),
            )
        ),
    )


def _step(one: Logged, clock: Clock) -> tuple[Cell, ...]:
    line = one.line
    result = "begun, and no end is recorded" if line.result == "begun" else line.result
    told = [text for text in (line.reason, line.authority, line.note) if text]
    told += [f"out: {item.name}" for item in line.outputs[:3]]
    if len(line.outputs) > 3:
        told.append(f"and {len(line.outputs) - 3} more")
    told += words.signed(one)
    return (
        (Words(str(one.number)),),
        (Words(f"{line.event}: {result}"),),
        (Words(words.moments(clock, line)),),
        (Words(f"{line.actor}\n{line.host}\nclock: {line.clock}"),),
        (Words("\n".join(told) or "–"),),
    )


def _tool(one: Logged) -> str:
    tool = one.line.tool
    return f"{tool.name} {tool.version}; Python {tool.python}, SQLite {tool.sqlite}, cryptography {tool.cryptography}"


def _statements(folder: Folder) -> tuple[Block, ...]:
    compared = next((one for one in folder.lines if one.line.event == "examined" and one.line.note), None)
    checks = [one for one in folder.lines if one.line.event == "verified" and one.line.result != "begun"]
    checked = "; ".join(f"line {one.number}: {one.line.result}, {one.line.note or 'no remark'}" for one in checks[-5:])
    second = folder.label("Evidence-Second-Reading")
    read_only = "the log has no line about it"
    if compared is not None:
        read_only = f"line {compared.number}: {compared.line.note}"
    return (
        Heading("5  The process: rule 902(13)"),
        Prose(wording.PROCESS),
        Prose(wording.TICK),
        Ticks(
            (
                (wording.READ_ONLY, f"The folder records: {read_only}"),
                (wording.PROCESS_USED, f"The folder records: the bag was sealed in line {folder.sealed.number}"),
                (wording.WORKED, f"The folder records checks: {checked or 'none'}"),
                (wording.ACCURATE, "The folder does not record how the program was tested."),
                (wording.SECOND_READING, f"The folder records: {second or 'nothing about it'}"),
            )
        ),
        Facts((("Tests, known errors, and how they bear on the result", (Blank(), Blank())),)),
    )  # fmt: skip


def _digests(folder: Folder, clock: Clock) -> tuple[Block, ...]:
    sealed, named = folder.sealed, folder.named
    source = folder.label("Evidence-Source-Digest")
    rows: list[tuple[Cell, ...]] = []
    if source:
        rows.append(_digest("Source digest", source, "the list of the SHA-256 values of every file of the backup as it "
                            "was found (data/inventory/source.sha256)", "recorded in the bag’s label"))  # fmt: skip
    payload_at, bag_at = (words.moment(clock, one.line.at) for one in (sealed, named))
    rows += [
        _digest("Payload digest", folder.payload_digest,
                "manifest-sha256.txt, which lists the SHA-256 of every file of the payload",
                f"computed when the bag was sealed (line {sealed.number}, {payload_at}) and "
                "again when this draft was made: equal"),
        _digest("Bag digest", folder.bag.sha256,
                "tagmanifest-sha256.txt, which lists the manifest and every file beside the payload",
                f"computed when the bag was sealed (line {named.number}, {bag_at}) and again "
                "when this draft was made: equal"),
        _digest("Custody log", folder.log_head, f"line {folder.log_count - 1} of custody.jsonl, which by the value it "
                "holds fixes every line before it", "computed when this draft was made"),
    ]  # fmt: skip
    checks = [one for one in folder.lines if one.line.event == "verified" and one.line.result != "begun"]
    checked = "\n".join(
        f"line {one.number}, {words.moment(clock, one.line.at)}: {one.line.result}, {one.line.note or 'no remark'}"
        for one in checks
    )
    octets, _, files = (folder.label("Payload-Oxum") or "").partition(".")
    return (
        Heading("6  Digital identification: rule 902(14)"),
        Prose(words.HASH),
        Table("Digests", ("What", "SHA-256, of which bytes, when"), (3, 13), tuple(rows)),
        Facts(
            (
                ("Files in the payload", said(f"{files} files, {octets} bytes" if files else None)),
                ("Full checks that the log records", said(checked)),
                ("Signatures over the statement (key ids), checked when this draft was made", _signatures(folder)),
                ("Time stamps (RFC 3161) in the folder",
                 _stamps(folder)),
            )
        ),
        Ticks(((wording.COMPARED, wording.COMPARED_BASIS), (wording.CHECKED, wording.CHECKED_BASIS))),
        Facts((("Mismatches", BLANK),)),
    )  # fmt: skip


def _signatures(folder: Folder) -> Cell:
    return tuple(map(Digest, folder.signatures)) or (Words("none: the folder is closed, unsigned"),)


def _stamps(folder: Folder) -> Cell:
    told = f"{folder.stamps}; not checked here: `bagtag verify --tsa-ca` does" if folder.stamps else "none"
    return (Words(told),)


def _digest(what: str, value: str, covers: str, when: str) -> tuple[Cell, ...]:
    return (Words(what),), (words.digest(value), Words(f"Covers {covers}; {when}."))


def _findings(folder: Folder, counts: Counts) -> tuple[Block, ...]:
    odd = [one for one in folder.lines if one.line.event in {"error", "clock-anomaly", "correction"}
           or one.line.result in {"issues", "failed"}]  # fmt: skip
    still_open = open_intents(iter([one.line for one in folder.lines]))
    deviations = [
        f"line {one.number}: {one.line.event}, {one.line.result}" + (f": {one.line.note}" if one.line.note else "")
        for one in odd
    ] + [f"line {line.seq}: {line.event} was begun, and no end is recorded" for line in still_open]
    return (
        Heading("7  Issues, deviations and limits"),
        Facts(
            (
                ("Issues in the bag, by effect", (Words(_told(counts.effects, "none")),)),
                ("Outcomes of the backup’s files", (Words(_told(counts.outcomes, "none")),)),
                ("Contradictions between index and files", (Words(_told(counts.findings, "none")),)),
                ("Second reading by another program", said(folder.label("Evidence-Second-Reading"))),
                ("Deviations that the log records", (Words("\n".join(deviations) or "none"),)),
                ("Further deviations, and their reasons", (Blank(), Blank())),
            )
        ),
        *(Prose(limit) for limit in wording.LIMITS),
    )


def _told(counts: Mapping[str, int], nothing: str) -> str:
    return ", ".join(f"{count:,} {name or 'without a name'}" for name, count in counts.items() if count) or nothing


def _exhibits(exhibits: Sequence[Artifact]) -> tuple[Block, ...]:
    rows: list[tuple[Cell, ...]] = [
        ((Words(str(number)),), (Words(item.name), Words(f"{item.size:,} bytes"), Digest(item.sha256)), BLANK)
        for number, item in enumerate(exhibits, start=1)
    ]
    if not rows:
        rows = [(BLANK, (Blank("file"), Blank("SHA-256")), BLANK)] * 3
    return (
        Heading("8  Attached exhibits"),
        Table("Attached exhibits", ("No.", "File, size, SHA-256", "Bates range"), (1, 11, 4), tuple(rows)),
    )


def _notice() -> tuple[Block, ...]:
    return (
        Heading("9  Notice"),
        Prose(wording.NOTICE),
        Facts((("Notice given to, on, how", BLANK), ("Available for inspection at, from", BLANK))),
    )


def _declaration() -> tuple[Block, ...]:
    return (
        Together(
            (
                Heading("10  Declaration (28 U.S.C. § 1746)"),
                Prose(wording.CHOOSE),
                Ticks(((wording.WITHIN, wording.WITHIN_BASIS), (wording.WITHOUT, wording.WITHOUT_BASIS))),
                Lines(("executed on (date)", "at (place)")),
                Lines(("signature", "printed name, title")),
            )
        ),
    )
