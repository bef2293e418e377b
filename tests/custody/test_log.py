"""The custody log: what a line looks like, what survives a crash, and what two writers do to each other."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.custody import chain
from bagtag.custody.errors import StoppedError, UsageError
from bagtag.custody.line import EVENTS, Artifact, CustodyLine, SignedLine, decode, encode, masked, this_tool
from bagtag.custody.log import CustodyLog, read
from bagtag.custody.signer import Signer
from bagtag.custody.times import Moment

KEYS = [
    "seq", "event", "at", "at_local", "zone", "clock", "actor", "host", "reason", "authority", "command", "inputs",
    "outputs", "tool", "result", "note", "prev",
]  # fmt: skip
SHA = hashlib.sha256(b"x").hexdigest()


def clock(*seconds: int) -> Callable[[], Moment]:
    ticks = iter(seconds)

    def tick() -> Moment:
        second = next(ticks)
        return Moment(f"2024-03-01T12:00:{second:02}.000Z", f"2024-03-01T13:00:{second:02}.000+01:00", "CET", "system")

    return tick


@pytest.fixture
def log(tmp_path: Path) -> CustodyLog:
    return CustodyLog.open(tmp_path / "custody.jsonl", clock=clock(*range(60)), host="bench")


def test_a_line_has_the_contracts_keys_in_order_without_spaces_and_utf8_as_it_is(log: CustodyLog) -> None:
    log.append(
        "received", result="ok", actor="Jörg \U0001f600", inputs=[Artifact("Gerät", 3, SHA)], note="a\nb\x1b\x7f"
    )
    raw = log.path.read_bytes()
    line = json.loads(raw)
    assert list(line) == KEYS
    assert raw == json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    assert line["at"] == "2024-03-01T12:00:00.000Z"
    assert line["inputs"] == [{"name": "Gerät", "size": 3, "sha256": SHA}]
    assert list(line["tool"]) == ["name", "version", "python", "sqlite", "cryptography"]


def test_times_of_the_real_clock_have_milliseconds_and_z(tmp_path: Path) -> None:
    line = CustodyLog.open(tmp_path / "custody.jsonl").append("note", result="ok", actor="a")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.at)
    assert chain.problems(tmp_path / "custody.jsonl") == []


def test_each_line_names_the_bytes_of_the_line_before_and_the_first_names_zeros(log: CustodyLog) -> None:
    assert log.head == "0" * 64
    for _ in range(3):
        log.append("note", result="ok", actor="Ann Lee")
    lines = log.path.read_bytes().splitlines()
    assert [json.loads(line)["prev"] for line in lines] == [
        "0" * 64, hashlib.sha256(lines[0]).hexdigest(), hashlib.sha256(lines[1]).hexdigest()
    ]  # fmt: skip
    assert [json.loads(line)["seq"] for line in lines] == [0, 1, 2]
    assert log.head == hashlib.sha256(lines[2]).hexdigest()


def test_the_contracts_events_are_known_and_no_others() -> None:
    assert sorted(EVENTS) == [
        "acquired", "clock-anomaly", "copied", "correction", "decrypted", "disclosed", "error", "examined", "exported",
        "note", "produced", "received", "returned", "sealed", "signed", "stamped", "stored", "transferred", "verified",
    ]  # fmt: skip


def test_the_log_is_private_and_nothing_else_is_left_beside_it(log: CustodyLog) -> None:
    log.append("note", result="ok", actor="Ann Lee")
    assert [path.name for path in log.path.parent.iterdir()] == ["custody.jsonl"]
    if os.name == "posix":
        assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_a_killed_run_leaves_an_open_intent_and_the_next_run_does_not_close_it(log: CustodyLog) -> None:
    killed = log.begin("decrypted", actor="Ann Lee", command=["bagtag", "bundle"])
    again = log.begin("decrypted", actor="Ann Lee")
    done = log.finish(again, result="issues", outputs=[Artifact("x", None, SHA)])
    assert (killed.result, done.event, done.result) == ("begun", "decrypted", "issues")
    assert log.open_intents() == [killed]
    log.finish(killed, result="failed", note="given up")
    assert log.open_intents() == []


def test_the_outcome_repeats_what_the_intent_said(log: CustodyLog) -> None:
    intent = log.begin(
        "exported",
        actor="Ann Lee",
        reason="trial",
        authority="warrant 1",
        command=["a"],
        inputs=[Artifact("x", 1, SHA)],
    )
    done = log.finish(intent, result="ok")
    assert (done.actor, done.reason, done.authority, done.command, done.inputs) == (
        "Ann Lee", "trial", "warrant 1", ("a",), (Artifact("x", 1, SHA),)
    )  # fmt: skip


@pytest.mark.parametrize("rest", [b'{"seq":2,"event":"no', b"\x00" * 40, b'{"seq":2}', "\u00e4".encode()[:1]])
def test_a_line_cut_by_a_crash_stays_and_an_error_line_names_its_bytes(log: CustodyLog, rest: bytes) -> None:
    log.append("received", result="ok", actor="Ann Lee")
    whole = log.path.read_bytes()
    log.path.write_bytes(whole + rest)
    assert chain.problems(log.path) != []
    log.append("note", result="ok", actor="Ann Lee")
    raw = log.path.read_bytes()
    assert raw.startswith(whole + rest + b"\n")
    error = json.loads(raw.splitlines()[2])
    assert (error["seq"], error["event"], error["prev"]) == (2, "error", hashlib.sha256(rest).hexdigest())
    assert error["inputs"] == [
        {"name": "custody.jsonl line 1", "size": len(rest), "sha256": hashlib.sha256(rest).hexdigest()}
    ]
    assert chain.problems(log.path) == []


def test_a_whole_line_that_lacks_only_its_newline_counts(log: CustodyLog) -> None:
    log.append("received", result="ok", actor="Ann Lee")
    log.path.write_bytes(log.path.read_bytes()[:-1])
    log.append("note", result="ok", actor="Ann Lee")
    assert [entry.line.event for entry in read(log.path) if entry.line] == ["received", "error", "note"]
    assert chain.problems(log.path) == []


def test_a_clock_that_went_back_gets_a_line_that_says_so_and_breaks_nothing(tmp_path: Path) -> None:
    log = CustodyLog.open(tmp_path / "custody.jsonl", clock=clock(30, 10), host="bench")
    log.append("note", result="ok", actor="Ann Lee")
    log.append("note", result="ok", actor="Ann Lee")
    events = [entry.line.event for entry in read(log.path) if entry.line]
    assert events == ["note", "clock-anomaly", "note"]
    assert chain.problems(log.path) == []


def test_many_writers_at_once_leave_one_unbroken_chain(tmp_path: Path) -> None:
    def write(name: str) -> None:
        log = CustodyLog.open(tmp_path / "custody.jsonl")
        for _ in range(10):
            log.append("note", result="ok", actor=name)

    threads = [threading.Thread(target=write, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert chain.problems(tmp_path / "custody.jsonl") == []
    assert chain.examine(tmp_path / "custody.jsonl").count >= 40


class FullDisk:
    """A disk that takes so many bytes more, then none; or one that takes them and cannot flush."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int, *, flush_fails: bool = False) -> None:
        self.room = room
        real_write, real_fsync = os.write, os.fsync

        def write(handle: int, content: bytes) -> int:
            if self.room <= 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            taken = real_write(handle, bytes(content)[: self.room])
            self.room -= taken
            return taken

        def fsync(handle: int) -> None:
            if flush_fails:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            real_fsync(handle)

        monkeypatch.setattr(os, "write", write)
        monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("room", [0, 1, 100, 699, 1200])
def test_a_full_disk_takes_a_line_whole_or_not_at_all_and_the_next_try_writes_it_once(
    room: int, signed: bool, log: CustodyLog, tmp_path: Path
) -> None:
    signer = Signer.create(tmp_path / "key", "p") if signed else None
    log.append("received", result="ok", actor="Ann Lee")
    before = log.path.read_bytes()
    with pytest.MonkeyPatch.context() as patched:
        FullDisk(patched, room)
        with pytest.raises(StoppedError):
            log.append("note", result="ok", actor="Ann Lee", note="x" * 1000, signer=signer)
    assert log.path.read_bytes() == before
    log.append("note", result="ok", actor="Ann Lee", note="x" * 1000, signer=signer)
    events = [entry.line.event for entry in read(log.path) if entry.line]
    assert events == ["received", "note"] + ["signed"] * signed
    assert chain.problems(log.path) == []


def test_a_line_that_was_not_flushed_is_taken_back(log: CustodyLog) -> None:
    log.append("received", result="ok", actor="Ann Lee")
    before = log.path.read_bytes()
    with pytest.MonkeyPatch.context() as patched:
        FullDisk(patched, 1 << 20, flush_fails=True)
        with pytest.raises(StoppedError):
            log.append("note", result="ok", actor="Ann Lee")
    assert log.path.read_bytes() == before


def test_a_log_goes_on_from_another_and_a_full_disk_leaves_none_of_it_behind(log: CustodyLog, tmp_path: Path) -> None:
    for _ in range(3):
        log.append("note", result="ok", actor="Ann Lee")
    second = CustodyLog.open(tmp_path / "second.jsonl")
    with pytest.MonkeyPatch.context() as patched:
        FullDisk(patched, 700)
        with pytest.raises(StoppedError):
            second.go_on_from(log.path)
    assert second.path.read_bytes() == b""
    for _ in range(2):
        second.go_on_from(log.path)
        assert second.path.read_bytes() == log.path.read_bytes()
    second.append("note", result="ok", actor="Ben Roe")
    second.go_on_from(log.path)
    log.append("note", result="ok", actor="Ann Lee")
    with pytest.raises(UsageError, match="differs from line 3 on"):
        log.go_on_from(second.path)


def test_a_log_is_torn_when_its_last_line_does_not_end(log: CustodyLog) -> None:
    log.append("received", result="ok", actor="Ann Lee")
    assert not log.torn
    log.path.write_bytes(log.path.read_bytes()[:-1])
    assert log.torn


def test_a_link_or_a_folder_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("folder", "link"):
        with pytest.raises(UsageError):
            CustodyLog.open(tmp_path / name)


def test_a_folder_that_is_not_there_is_a_mistake_in_the_call(tmp_path: Path) -> None:
    log = CustodyLog.open(tmp_path / "nowhere/custody.jsonl")
    with pytest.raises(UsageError, match="cannot be written"):
        log.append("note", result="ok", actor="Ann Lee")


def test_a_line_too_long_to_be_read_again_is_not_written(log: CustodyLog) -> None:
    with pytest.raises(UsageError):
        log.append("note", result="ok", actor="Ann Lee", note="x" * (1 << 20))
    assert chain.examine(log.path).count == 0


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["bagtag", "bundle", "--passphrase", "secret", "x"], ("bagtag", "bundle", "--passphrase", "***", "x")),
        (["--passphrase=secret"], ("--passphrase=***",)),
        (["--password", "secret", "--pin=1234"], ("--password", "***", "--pin=***")),
        (["--passphrase-file", "secret"], ("--passphrase-file", "***")),
        (["--key-file", "key.hex", "--case", "pass"], ("--key-file", "key.hex", "--case", "pass")),
        (["--passphrase"], ("--passphrase",)),
    ],
)
def test_what_could_be_a_secret_in_the_command_is_masked(command: list[str], shown: tuple[str, ...]) -> None:
    assert masked(command) == shown


def test_an_argument_that_was_no_text_shows_its_bytes(log: CustodyLog) -> None:
    line = log.append("note", result="ok", actor="Ann Lee", command=[os.fsdecode(b"a\xff"), "\ud800"])
    assert line.command == (r"a\xff", r"\ud800")
    assert chain.problems(log.path) == []


@given(st.text(), st.text(), st.lists(st.text(), max_size=3))
def test_whatever_text_is_given_the_line_comes_back_as_it_was(actor: str, note: str, command: list[str]) -> None:
    line = CustodyLine(
        seq=0, event="note", at="2024-03-01T12:00:00.000Z", at_local="2024-03-01T13:00:00.000+01:00", zone="CET",
        clock="system", actor=actor, host="h", reason=None, authority=None, command=tuple(command), inputs=(),
        outputs=(), tool=this_tool(), result="ok", note=note, prev=SHA,
    )  # fmt: skip
    raw = encode(line)
    assert b"\n" not in raw
    assert decode(raw) == line
    assert raw == json.dumps(json.loads(raw), ensure_ascii=False, separators=(",", ":")).encode()


def test_a_signature_has_the_shape_of_the_contract() -> None:
    at = "2024-03-01T12:00:00.000Z"
    fields = {"seq": 9, "event": "signed", "at": at, "of": SHA, "keyid": SHA, "sig": "AAAA", "prev": SHA}
    line = decode(json.dumps(fields, separators=(",", ":")).encode())
    assert isinstance(line, SignedLine)
    assert (line.of, line.sig) == (SHA, "AAAA")


def test_a_signature_is_never_written_in_the_shape_of_a_step(log: CustodyLog) -> None:
    with pytest.raises(ValueError, match="shape"):
        log.append("signed", result="ok", actor="Ann Lee")
