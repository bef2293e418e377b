"""The rows of a custody form: a transfer is two lines, a correction stands with what it corrects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bagtag.custody.line import Artifact
from bagtag.custody.log import CustodyLog, read
from bagtag.reports.html.clock import Clock
from bagtag.reports.paper import custody_form, folder
from bagtag.reports.paper.document import Table, Words
from bagtag.reports.paper.movements import movements

Log = Callable[[Path, int], CustodyLog]


def _rows(dest: Path) -> list[list[str]]:
    page = custody_form.document(folder.read(dest), Clock("UTC"))
    table = next(block for block in page.blocks if isinstance(block, Table) and block.caption == "Chain of custody")
    return [[" ".join(v.text for v in cell if isinstance(v, Words)) for cell in row] for row in table.rows]


def test_the_receipt_of_the_backup_is_the_first_row_and_blank_rows_follow(folder: Path) -> None:
    rows = _rows(folder)
    number, item, time, released, received, comments = rows[0]
    assert (number, item, released, received) == ("0, 1", "7", "", "Ann Lee")
    assert "2024-03-01 12:00:01 UTC" in time
    assert "local 2024-03-01 13:00:01 +01:00 (Europe/Berlin)" in time
    assert "on a disk" in comments
    assert rows[1:] == [[""] * 6] * 6


def test_a_transfer_names_who_released_and_who_received(folder: Path, log_of: Log) -> None:
    log_of(folder, 10).begin("transferred", actor="Ann Lee", note="released by Ann Lee to Ben Roe; method courier")
    log_of(folder, 20).append(
        "transferred", result="ok", actor="Ben Roe", note="received by Ben Roe from Ann Lee; condition intact"
    )
    number, _, time, released, received, comments = _rows(folder)[1]
    assert (number, released, received) == ("5, 6", "Ann Lee", "Ben Roe")
    assert "12:10:00" in time
    assert "12:20:00" in time
    assert "method courier" in comments
    assert "condition intact" in comments


def test_a_transfer_without_a_receipt_waits_for_the_pen_and_says_so(folder: Path, log_of: Log) -> None:
    log_of(folder, 10).begin("transferred", actor="Ann Lee", note="released by Ann Lee to Ben Roe")
    _, _, _, released, received, comments = _rows(folder)[1]
    assert (released, received) == ("Ann Lee", "")
    assert "no receipt is recorded" in comments


def test_a_refusal_is_no_receipt(folder: Path, log_of: Log) -> None:
    log_of(folder, 10).begin("transferred", actor="Ann Lee", note="released by Ann Lee to Ben Roe")
    log_of(folder, 20).append("transferred", result="failed", actor="Ben Roe", note="not accepted by Ben Roe")
    _, _, _, _, received, comments = _rows(folder)[1]
    assert received == ""
    assert "refused" in comments


def test_copies_returns_and_shelves_are_listed_and_other_steps_are_counted(folder: Path, log_of: Log) -> None:
    log = log_of(folder, 10)
    log.append("copied", result="ok", actor="Ann Lee", note="copy 1, for the defence")
    log.append("stored", result="ok", actor="Ann Lee", note="room 3, shelf 7")
    log.append("returned", result="ok", actor="Ann Lee", note="to the owner")
    log.append("note", result="ok", actor="Ann Lee", note="nothing moved")
    rows = _rows(folder)
    assert [row[5].split()[0] for row in rows[1:4]] == ["copied", "stored", "returned"]
    assert all("recorded by Ann Lee at desk" in row[5] for row in rows[1:4])
    assert not any("nothing moved" in row[5] for row in rows)


def test_a_correction_stands_with_the_line_that_it_corrects(folder: Path, log_of: Log) -> None:
    log_of(folder, 10).append("copied", result="ok", actor="Ann Lee", note="copy 1, for the defense")
    entry = list(read(folder / "custody.jsonl"))[-1]
    named = Artifact("custody.jsonl line 5", len(entry.raw), entry.sha256)
    log_of(folder, 20).append(
        "correction", result="ok", actor="Ben Roe", inputs=[named], note="it was for the prosecution"
    )
    comments = _rows(folder)[1][5]
    assert "CORRECTED by line 6" in comments
    assert "it was for the prosecution" in comments


def test_two_open_transfers_are_closed_latest_first(folder: Path, log_of: Log) -> None:
    for minute, name in ((10, "Ann Lee"), (11, "Ben Roe")):
        log_of(folder, minute).begin("transferred", actor=name)
    log_of(folder, 20).append("transferred", result="ok", actor="Cy Poe")
    from bagtag.reports.paper import folder as reading

    found = movements(reading.read(folder).lines)
    assert [(row.released_by, row.received_by) for row in found[1:]] == [("Ann Lee", None), ("Ben Roe", "Cy Poe")]
