"""`bagtag custody show` and `verify`: the log as a table, and whether it holds."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from bagtag.custody.line import Artifact
from bagtag.custody.log import CustodyLog, read
from bagtag.custody.signer import Signer

HOSTILE = "Ann\x1b[2J\x9b1m\u202e Lee\n99    2024-01-01T00:00:00.000Z       sealed         Eve"
PASSPHRASE = "a long passphrase of the lab"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The logs of an evidence folder: two lines that are sealed, one that came later."""
    dest = tmp_path / "evidence"
    (dest / "bag").mkdir(parents=True)
    log = CustodyLog.open(dest / "custody.jsonl")
    intent = log.begin("examined", actor="Ann Lee\x1b[2J", reason="case\nforged line", command=["bagtag", "bundle"])
    log.finish(intent, result="ok", outputs=[Artifact("manifest-sha256.txt", 12, "ab" * 32)])
    shutil.copy(dest / "custody.jsonl", dest / "bag" / "custody.jsonl")
    log.append("note", result="ok", actor="Ben Roe", note="handed over")
    return dest


def rows_of(out: str) -> list[str]:
    """What begins at the edge: the rows of the table, and its frame."""
    return [line for line in out.splitlines() if line and not line.startswith(" ")]


def test_show_tells_each_line_and_makes_it_safe(bagtag: Any, folder: Path) -> None:
    ran = bagtag("custody", "show", folder)
    assert ran.code == 0
    for text in (r"Ann Lee\x1b[2J", "begun", "examined", "handed over", "ab" * 32, "manifest-sha256.txt, 12 bytes"):
        assert text in ran.out
    assert "\x1b" not in ran.out
    assert "\nforged" not in ran.out


def test_the_table_has_the_columns_a_court_asks_for_and_each_row_its_times(bagtag: Any, folder: Path) -> None:
    out = bagtag("custody", "show", folder).out.splitlines()
    assert re.fullmatch(r"no\. +when: UTC; here; clock +step +who +what", out[1])
    entry = next(iter(read(folder / "custody.jsonl")))
    line: Any = entry.line
    first = next(place for place, row in enumerate(out) if row.startswith("0 "))
    assert out[first].split()[:3] == ["0", line.at, "examined"]
    assert out[first + 1].split()[:2] == [line.at_local, "begun"]
    assert line.zone in out[first + 2]
    assert line.clock.split(",")[0] in out[first + 3]
    assert out[-1] == f"head  {list(read(folder / 'custody.jsonl'))[-1].sha256}  3 lines"


def test_piped_no_line_is_wider_than_100_places(bagtag: Any, sealed: Path) -> None:
    log = CustodyLog.open(sealed / "custody.jsonl")
    log.append(
        "note", result="ok", actor="証拠保全課の鑑識官 山田太郎", note="long " * 60 + "x" * 300, reason="because " * 9,
        command=["bagtag", "x" * 200], inputs=[Artifact("n" * 300, 1 << 40, "cd" * 32), Artifact("s", None, "ef" * 32)],
    )  # fmt: skip
    out = bagtag("custody", "show", sealed).out
    assert max(map(cell_len, out.splitlines()[1:])) <= 100  # the first line is a path, which is never broken
    assert "1,099,511,627,776 bytes" in out
    assert "cd" * 32 in out
    assert "ef" * 32 in out


def test_a_digest_in_a_note_stands_in_one_piece(bagtag: Any, sealed: Path) -> None:
    CustodyLog.open(sealed / "custody.jsonl").append("note", result="ok", actor="A", note="digest " + "ab" * 32)
    assert "ab" * 32 in bagtag("custody", "show", sealed).out


def test_whatever_a_log_holds_no_text_of_it_passes_for_a_row_or_steers_the_terminal(bagtag: Any, sealed: Path) -> None:
    log = CustodyLog.open(sealed / "custody.jsonl", host=HOSTILE)
    log.append(
        "note", result="ok", actor=HOSTILE, note=HOSTILE, reason=HOSTILE, authority=HOSTILE, command=[HOSTILE],
        inputs=[Artifact(HOSTILE, 1, "ab" * 32)],
    )  # fmt: skip
    rows = (sealed / "custody.jsonl").read_bytes().splitlines()
    forged = json.loads(rows[-1]) | {"zone": HOSTILE, "clock": HOSTILE, "seq": 10**30}
    raw = json.dumps(forged, ensure_ascii=False, separators=(",", ":")).encode()
    (sealed / "custody.jsonl").write_bytes(b"\n".join([*rows, raw, HOSTILE.encode().replace(b"\n", b" "), b""]))
    out = bagtag("custody", "show", sealed).out
    assert not set("\x1b\x9b\u202e\r") & set(out)
    numbers = [row.split()[0] for row in rows_of(out)]
    assert "says that it is line" in out
    assert numbers == ["custody", "no.", "-" * 100, "0", "1", "2", "3", "4", "5", "-" * 100, "head"]


def test_signatures_name_the_key_and_whose_it_is_where_the_log_says_so(
    bagtag: Any, sealed: Path, signing_key: Callable[[str], Path]
) -> None:
    ann, eve = signing_key("ann"), signing_key("eve")
    assert bagtag("custody", "sign", sealed, "--sign-key", ann, "--signer", "Ann Lee").code == 0
    CustodyLog.open(sealed / "custody.jsonl").sign(Signer.load(eve, PASSPHRASE))
    out = bagtag("custody", "show", sealed).out
    known, unknown = (Signer.load(key, PASSPHRASE).keyid for key in (ann, eve))
    assert f"key   {known}\n            Ann Lee, as this log says" in out
    assert f"key   {unknown}\n" in out
    assert "signature over line 3: stored," in out
    last = [row for row in rows_of(out) if row.startswith("5 ")]
    assert "the key below" in last[0]


def test_show_gives_the_lines_as_json(bagtag: Any, folder: Path) -> None:
    rows = bagtag("custody", "show", folder, "--json").rows
    assert [(row["seq"], row["event"], row["result"]) for row in rows] == [
        (0, "examined", "begun"), (1, "examined", "ok"), (2, "note", "ok"),
    ]  # fmt: skip


def test_a_sound_log_is_intact_and_never_called_more_than_that(bagtag: Any, folder: Path) -> None:
    ran = bagtag("custody", "verify", folder)
    assert ran.code == 0
    assert "3 lines, intact" in ran.out
    assert "verified" not in ran.out


def test_a_line_that_is_no_line_is_shown_as_such(bagtag: Any, folder: Path) -> None:
    with (folder / "custody.jsonl").open("ab") as log:
        log.write(b"\x1b]0;owned\x07\n")
    ran = bagtag("custody", "show", folder)
    assert "cannot be read" in ran.out
    assert not set("\x1b\x07") & set(ran.out)
    assert bagtag("custody", "show", folder, "--json").rows[-1]["unreadable"]
    assert bagtag("custody", "verify", folder).code == 4


def _swap(lines: list[bytes]) -> list[bytes]:
    return [lines[1], lines[0], *lines[2:]]


@pytest.mark.parametrize(
    "change",
    [
        _swap,
        lambda lines: lines[1:],
        lambda lines: [lines[0].replace(b"Ann", b"Eve"), *lines[1:]],
        lambda lines: [lines[0], lines[0], *lines[1:]],
        lambda lines: [],
    ],
    ids=["swapped", "cut at the head", "edited", "doubled", "emptied"],
)
def test_a_log_that_was_changed_is_broken(change: Any, bagtag: Any, folder: Path) -> None:
    log = folder / "custody.jsonl"
    log.write_bytes(b"".join(change(log.read_bytes().splitlines(keepends=True))))
    ran = bagtag("custody", "verify", folder)
    assert ran.code == 4
    assert "problem  custody.jsonl: " in ran.out
    assert bagtag("custody", "verify", folder, "--json").rows[0]["problems"]


def test_a_log_without_its_sealed_copy_is_broken(bagtag: Any, folder: Path) -> None:
    (folder / "bag/custody.jsonl").unlink()
    ran = bagtag("custody", "verify", folder)
    assert ran.code == 4
    assert "bag/custody.jsonl" in ran.out


@pytest.mark.parametrize(
    "command", [["custody", "show"], ["custody", "verify"], ["custody", "add"], ["custody", "transfer"], ["verify"]]
)
def test_a_folder_without_a_log_ends_with_3(command: list[str], bagtag: Any, tmp_path: Path) -> None:
    rest = {"add": ["note", "--note", "x"], "transfer": ["--to", "Ben"]}.get(command[-1], [])
    ran = bagtag(*command, tmp_path, *rest)
    assert (ran.code, ran.out) == (3, "")


def test_the_last_line_changed_is_caught_where_it_is_signed_and_how_far_signatures_reach_is_said(
    bagtag: Any, sealed: Path, signing_key: Callable[[str], Path]
) -> None:
    key = signing_key("ann")
    keyid = Signer.load(key, PASSPHRASE).keyid
    bagtag("custody", "sign", sealed, "--sign-key", key, "--signer", "Ann Lee")
    bagtag("custody", "add", sealed, "note", "--note", "after it")
    ran = bagtag("custody", "verify", sealed)
    assert ran.code == 0
    assert f"lines 0–3 are covered by the signature in line 4 (key {keyid}); lines 4–5 are covered by none" in ran.out
    log = sealed / "custody.jsonl"
    *before, signed, _ = log.read_bytes().splitlines(keepends=True)
    text = json.loads(signed)["sig"]
    other = text[:10] + ("A" if text[10] != "A" else "B") + text[11:]
    log.write_bytes(b"".join(before) + signed.replace(text.encode(), other.encode()))
    ran = bagtag("custody", "verify", sealed)
    assert ran.code == 4
    assert f"line 4: the signature by the key {keyid} is not over line 3" in ran.out


def test_signatures_are_checked_with_trusted_keys_and_those_without_a_key_are_named(
    bagtag: Any, sealed: Path, signing_key: Callable[[str], Path], tmp_path: Path
) -> None:
    key = signing_key("ann")
    signer = Signer.load(key, PASSPHRASE)
    CustodyLog.open(sealed / "custody.jsonl").sign(signer)
    ran = bagtag("custody", "verify", sealed)
    assert ran.code == 0
    assert f"line 3: the signature by the key {signer.keyid} was not checked" in ran.out
    made = bagtag("signer", "show", key, "--name", "Ann Lee", "--json").rows[0]["register"]
    (tmp_path / "register").write_text(made + "\n")
    ran = bagtag("custody", "verify", sealed, "--trust", tmp_path / "register")
    assert (
        f"lines 0–2 are covered by the signature in line 3 (key {signer.keyid}, which is valid as Ann Lee)" in ran.out
    )
    (tmp_path / "register").write_text("@revoked " + made + "\n")
    ran = bagtag("custody", "verify", sealed, "--trust", tmp_path / "register")
    assert "which was revoked (the key of Ann Lee)" in ran.out


def test_another_partys_copy_shows_lost_lines_and_two_books(bagtag: Any, sealed: Path, tmp_path: Path) -> None:
    other = tmp_path / "theirs.jsonl"
    shutil.copy(sealed / "custody.jsonl", other)
    bagtag("custody", "add", sealed, "note", "--note", "ours")
    ran = bagtag("custody", "verify", sealed, "--other-log", other)
    assert (ran.code, "the other copy ends with line 2, this one goes on to line 3" in ran.out) == (0, True)
    CustodyLog.open(other).append("note", result="ok", actor="Ben Roe")
    ran = bagtag("custody", "verify", sealed, "--other-log", other)
    assert (ran.code, "differs from the other copy from line 3 on" in ran.out) == (4, True)
    shutil.copy(sealed / "custody.jsonl", other)
    log = sealed / "custody.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:3]))
    ran = bagtag("custody", "verify", sealed, "--other-log", other)
    assert (ran.code, "was cut: the other copy goes on after line 2" in ran.out) == (4, True)
    assert bagtag("custody", "verify", sealed, "--other-log", tmp_path / "nowhere").code == 2


def test_a_log_kept_elsewhere_is_shown_and_checked(bagtag: Any, sealed: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "on.jsonl"
    assert bagtag("custody", "show", sealed, "--log", elsewhere).code == 2
    assert bagtag("custody", "add", sealed, "note", "--note", "later", "--log", elsewhere).code == 0
    assert "later" in bagtag("custody", "show", sealed, "--log", elsewhere).out
    assert "later" not in bagtag("custody", "show", sealed).out
    assert "4 lines, intact" in bagtag("custody", "verify", sealed, "--log", elsewhere).out
    elsewhere.write_bytes(b"x" + elsewhere.read_bytes())
    for command in ("show", "verify"):
        assert bagtag("custody", command, sealed, "--log", elsewhere).code == 2
