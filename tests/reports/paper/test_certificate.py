"""The draft certificate: every field that the rules ask for, what the folder tells, and blanks for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bagtag.custody.line import Artifact
from bagtag.custody.log import CustodyLog
from bagtag.custody.signer import Signer
from bagtag.reports.html.clock import Clock
from bagtag.reports.paper import certificate
from bagtag.reports.paper import folder as reading
from bagtag.reports.paper.document import Blank, Block, Document, Facts, Lines, Prose, Table, Ticks, Together, Words

EXHIBIT = Artifact("thread.pdf", 1234, "cd" * 32)


def made(dest: Path, *exhibits: Artifact) -> Document:
    return certificate.document(reading.read(dest), reading.count(dest), exhibits, Clock("UTC"))


def flat(blocks: tuple[Block, ...]) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, Together):
            yield from flat(block.blocks)
        else:
            yield block


def facts(page: Document) -> dict[str, str]:
    """Label and words of every fact; a blank is an empty text."""
    rows = [row for block in flat(page.blocks) if isinstance(block, Facts) for row in block.rows]
    return {name: " ".join(value.text for value in cell if not isinstance(value, Blank)) for name, cell in rows}


def words(page: Document) -> str:
    """All that is printed."""
    said: list[str] = []
    for block in flat(page.blocks):
        if isinstance(block, Table):
            said += [value.text for row in block.rows for cell in row for value in cell if not isinstance(value, Blank)]
        elif isinstance(block, Ticks):
            said += [text for row in block.rows for text in row]
        elif isinstance(block, Prose):
            said.append(block.text)
    return " ".join([*said, *facts(page).values()])


@pytest.mark.parametrize(
    "field",
    [
        "Court", "Caption (parties)", "Docket number", "Name", "Employer", "Title or role",
        "Qualifications, training, certifications", "Basis of personal knowledge", "Person who made the backup",
        "Received from, when, where and how", "Places where the steps were done", "SHA-256 of the installed program",
        "Validation of the program (report, date)", "Tests, known errors, and how they bear on the result",
        "Mismatches",
        "Further deviations, and their reasons", "Notice given to, on, how", "Available for inspection at, from",
        "Backup made, by the backup’s own date",
    ],
)  # fmt: skip
def test_what_the_folder_cannot_tell_is_a_blank(field: str, plain_folder: Path) -> None:
    assert facts(made(plain_folder))[field] == ""


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("Case number", "2024-0815"), ("Item number", "7"), ("Exhibit reference", "AL/1"),
        ("Authority", "Warrant 12/24"),
        ("Source device, as the folder’s label names it", "iPhone15,4, 17.4"), ("Run of the program", "run-1"),
        ("Source device, as the backup describes it", "serial number F2LSAMPLE"), ("Encryption", "not encrypted"),
        ("Source device, as the backup describes it", "IMEI 350000000000000"),
        ("Examiner named in the folder", "Ann Lee"),
        ("Identifier of the backup", "BACKUP-GUID"), ("Program that made the backup", "iTunes 12.13.1"),
        ("Program that sealed the bag, by its label", "bagtag 9.9"), ("Files in the payload", "4 files"),
        ("Issues in the bag, by effect", "1 lost, 1 note, 2 partial"), ("Outcomes of the backup’s files", "3 ok"),
        ("Second reading by another program", "3 agree"),
        ("Deviations that the log records", "line 2: examined, issues"),
        ("Time stamps (RFC 3161) in the folder", "none"), ("Log read up to line", "4; its SHA-256 is"),
    ],
)  # fmt: skip
def test_what_the_folder_tells_is_filled_in(field: str, text: str, plain_folder: Path) -> None:
    assert text in facts(made(plain_folder))[field]


def test_each_digest_is_given_whole_with_what_it_covers(plain_folder: Path) -> None:
    page, folder = made(plain_folder), reading.read(plain_folder)
    said = words(page)
    for digest in ("ab" * 32, folder.payload_digest, folder.bag.sha256, folder.log_head):
        assert digest in said
    for covered in ("source.sha256", "manifest-sha256.txt", "tagmanifest-sha256.txt", "custody.jsonl"):
        assert covered in said
    assert "SHA-256" in said
    assert "MD5" not in said


def test_it_is_a_draft_on_every_page_and_says_so_first(plain_folder: Path) -> None:
    page = made(plain_folder)
    assert page.mark.startswith("DRAFT FOR SIGNATURE")
    assert "draft" in page.title
    first = page.blocks[0]
    assert isinstance(first, Prose)
    assert "Nothing in it is a statement of the examiner" in first.text


def test_both_declarations_of_section_1746_wait_for_a_tick_beside_the_signature(plain_folder: Path) -> None:
    last = made(plain_folder).blocks[-1]
    assert isinstance(last, Together)
    (ticks,) = [block for block in last.blocks if isinstance(block, Ticks)]
    within, without = (statement for statement, _ in ticks.rows)
    assert within == "I declare under penalty of perjury that the foregoing is true and correct."
    assert without == (
        "I declare under penalty of perjury under the laws of the United States of America "
        "that the foregoing is true and correct."
    )
    lines = [caption for block in last.blocks if isinstance(block, Lines) for caption in block.captions]
    assert lines == ["executed on (date)", "at (place)", "signature", "printed name, title"]


def test_no_sentence_speaks_for_the_examiner_but_those_that_wait_for_a_tick(plain_folder: Path) -> None:
    page = made(plain_folder)
    prose = [block.text for block in flat(page.blocks) if isinstance(block, Prose)]
    tables = [value.text for block in flat(page.blocks) if isinstance(block, Table) for row in block.rows
              for cell in row for value in cell if isinstance(value, Words)]  # fmt: skip
    for text in (*prose, *tables, *facts(page).values()):
        assert not {"I", "my", "we", "our"} & set(text.split()), text


def test_exhibits_are_listed_with_their_digests_and_a_blank_for_bates_numbers(plain_folder: Path) -> None:
    page = made(plain_folder, EXHIBIT)
    table = next(block for block in page.blocks if isinstance(block, Table) and block.caption == "Attached exhibits")
    ((number, file, bates),) = table.rows
    assert [value.text for value in file if not isinstance(value, Blank)] == ["thread.pdf", "1,234 bytes", "cd" * 32]
    assert number == (Words("1"),)
    assert bates == (Blank(),)


def test_steps_have_both_times_the_computer_and_no_intents(plain_folder: Path) -> None:
    table = next(b for b in made(plain_folder).blocks if isinstance(b, Table) and b.caption == "Steps")
    lines = [row[0][0] for row in table.rows]
    assert lines == [Words("1"), Words("2"), Words("3"), Words("4")]
    said = words(made(plain_folder))
    assert "2024-03-01 12:00:01 UTC" in said
    assert "bench" in said


def test_a_step_that_was_cut_off_is_told_as_a_deviation(folder: Path, log_of: Callable[..., CustodyLog]) -> None:
    log_of(folder, 10).begin("verified", actor="Ann Lee")
    page = made(folder)
    assert "line 5: verified was begun, and no end is recorded" in facts(page)["Deviations that the log records"]


def test_signatures_are_named_by_their_keys(folder: Path, signer: Signer, seal_with: Callable[..., None]) -> None:
    name = "Signatures over the statement (key ids), checked when this draft was made"
    assert "unsigned" in facts(made(folder))[name]
    seal_with(folder, signer)
    assert facts(made(folder))[name] == signer.keyid


def test_a_source_digest_that_is_none_is_words_and_not_a_digest(hostile_folder: Path) -> None:
    assert "no digest at all" in words(made(hostile_folder))
