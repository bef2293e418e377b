"""The tamper drills: everything that we know somebody could do to a signed and stamped evidence folder.

Each is done to a copy; `bagtag verify` ends with 4, says broken, and names what was touched. Where something cannot be
noticed from the folder alone (the end of a log), the test says what notices it, or that `verify` says that nothing
does. Stock judges (bagit.py, bagit-profile, sha256sum, cmp, openssl) are asked about the same folders.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bagit
import bagit_profile
import pytest

from bagtag.cli.main import main
from bagtag.custody.line import Artifact, CustodyLine
from bagtag.custody.log import CustodyLog, read
from bagtag.custody.times import Moment
from bagtag.reports.bundle import contents, statement
from bagtag.reports.bundle.statement import Statement
from bagtag.reports.bundle.verdict import Verification
from bagtag.reports.bundle.verify import verify

README = Path(__file__).parents[3] / "reports/bundle/README.txt"
INFO = "bag/data/source/Info.plist"
TAGS = "bag/tagmanifest-sha256.txt"
MANIFEST = "bag/manifest-sha256.txt"
LABEL = "bag/bag-info.txt"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def flip(path: Path, place: int | None = None, bit: int = 0) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 if place is None else place] ^= 1 << bit
    path.write_bytes(raw)


def change(path: Path, before: bytes | str, after: bytes | str) -> None:
    """Replace, by a pattern over bytes; it must be there."""
    before, after = (text.encode() if isinstance(text, str) else text for text in (before, after))
    changed, count = re.subn(before, after, path.read_bytes(), flags=re.MULTILINE)
    assert count
    path.write_bytes(changed)


def recompute(folder: Path) -> None:
    """Both manifests are made to agree with what lies there, as a forger would."""
    bag = folder / "bag"
    for name in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        lines = (bag / name).read_text("utf-8").splitlines()
        (bag / name).write_text("".join(f"{sha256(bag / line[66:])}  {line[66:]}\n" for line in lines), "utf-8")


def rewrite(folder: Path, name: str = "custody.jsonl", edit: Callable[[list[Any]], None] = lambda lines: None) -> None:
    """The whole log is written anew with a valid chain, but without signatures; `edit` changes its lines first."""
    lines = [entry.line for entry in read(folder / name) if isinstance(entry.line, CustodyLine)]
    edit(lines)
    (folder / name).unlink()
    log = CustodyLog.open(folder / name, host="bench")
    for line in lines:
        log.append(line.event, result=line.result, actor=line.actor, outputs=line.outputs, note=line.note)


def forge(folder: Path) -> None:
    """Everything is made anew after the payload was changed: manifests, logs, statement. No signature is left."""
    (folder / INFO).write_bytes(b"<plisT/>")
    recompute(folder)
    bag, sealed = folder / "bag", len(list(read(folder / "bag/custody.jsonl")))
    lines = [entry.line for entry in read(folder / "custody.jsonl")][: sealed + 1]
    (folder / "custody.jsonl").unlink()
    log = CustodyLog.open(folder / "custody.jsonl", host="bench")
    for line in lines:
        assert isinstance(line, CustodyLine)
        places = [(each.name, folder / each.name if each.name == "README.txt" else bag / each.name)
                  for each in line.outputs]  # fmt: skip
        outputs = [Artifact(name, path.stat().st_size, sha256(path)) for name, path in places]
        written = log.append(line.event, result=line.result, actor=line.actor, outputs=outputs)
        if line.event == "sealed":
            shutil.copy(folder / "custody.jsonl", bag / "custody.jsonl")
            recompute(folder)
    shutil.rmtree(folder / "seal")
    (folder / "seal").mkdir()
    facts = Statement(sha256(folder / TAGS), sha256(folder / MANIFEST), log.head, written.seq)
    (folder / "seal/statement.json").write_bytes(statement.render(facts))


# -- the drills of the list ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Drill:
    """What is done, and the paths that must be named. `judge`: the stock tools of which at least one must notice it."""

    name: str
    do: Callable[[Path], object]
    named: tuple[str, ...]
    judge: tuple[str, ...] = ()


def _without_tag_manifest(folder: Path) -> None:
    change(folder / LABEL, "Ann Lee", "Bob Lee")
    (folder / TAGS).unlink()


def _two_normalised(folder: Path) -> None:
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "data/files/HomeDomain/é.txt")
        (folder / "bag" / name).write_bytes(b"x")
        with (folder / MANIFEST).open("a", encoding="utf-8") as file:
            file.write(f"{hashlib.sha256(b'x').hexdigest()}  {name}\n")
    lines = sorted((folder / MANIFEST).read_bytes().splitlines(keepends=True), key=lambda line: line[66:])
    (folder / MANIFEST).write_bytes(b"".join(lines))


def _unknown_event(folder: Path) -> None:
    change(folder / "custody.jsonl", '"event":"received"', '"event":"forgotten"')


def _swapped_lines(path: Path, one: int, other: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    lines[one], lines[other] = lines[other], lines[one]
    path.write_bytes(b"".join(lines))


def _inserted(path: Path, number: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:number], lines[number], *lines[number:]]))


def _without_line(path: Path, number: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))


def _cut(path: Path, keep: int) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:keep]))


def _rewritten(folder: Path) -> None:
    def later(lines: list[Any]) -> None:
        lines[0] = CustodyLine(**{name: getattr(lines[0], name) for name in lines[0].__struct_fields__}
                               | {"note": "another story"})  # fmt: skip

    rewrite(folder, edit=later)


def _in_both_logs(folder: Path) -> None:
    for name in ("custody.jsonl", "bag/custody.jsonl"):
        change(folder / name, "Ann Lee", "Bob Lee")


DRILLS = [
    Drill("1 a payload byte is turned", lambda at: flip(at / INFO), (INFO,), ("bagit", "page")),
    Drill("2 a payload file is added", lambda at: (at / "bag/data/new").write_text("x"), ("bag/data/new",), ("bagit",)),
    Drill("2 a payload file is removed", lambda at: (at / INFO).unlink(), (INFO,), ("bagit", "page")),
    Drill(
        "2 a payload file is renamed",
        lambda at: (at / INFO).rename(at / "bag/data/source/Other.plist"),
        (INFO, "bag/data/source/Other.plist"),
        ("bagit",),
    ),
    Drill(
        "2 the case of a name is changed",
        lambda at: (at / INFO).rename(at / "bag/data/source/INFO.plist"),
        (INFO, "bag/data/source/INFO.plist"),
        ("bagit",),
    ),
    Drill("3 an empty folder is added", lambda at: (at / "bag/data/e").mkdir(), ("bag/data/e",), ("page",)),
    Drill(
        "4 a link is added",
        lambda at: (at / "bag/data/link").symlink_to(at / INFO),
        ("bag/data/link",),
        ("bagit", "page"),
    ),
    Drill("5 the label is edited", lambda at: change(at / LABEL, "Ann Lee", "Bob Lee"), (LABEL,), ("bagit", "page")),
    Drill("6 the label is edited, the tag manifest removed", _without_tag_manifest, (TAGS,), ("profile", "page")),
    Drill("7 the manifest is removed", lambda at: (at / MANIFEST).unlink(), (MANIFEST,), ("bagit", "page")),
    Drill("8 a tag file is added", lambda at: (at / "bag/n.txt").write_text("x"), ("bag/n.txt",), ("profile", "page")),
    Drill(
        "9 a fetch.txt is added",
        lambda at: (at / "bag/fetch.txt").write_text("https://example.org/a 1 data/a\n"),
        ("bag/fetch.txt",),
        ("profile", "page"),
    ),
    Drill(
        "10 another version of BagIt is declared",
        lambda at: change(at / "bag/bagit.txt", "1.0", "0.97"),
        ("bag/bagit.txt",),
        ("bagit", "page"),
    ),
    Drill(
        "11 a line of the manifest is there twice",
        lambda at: change(at / MANIFEST, r"\A(.*\n)", r"\1\1"),
        (MANIFEST,),
        ("bagit", "page"),
    ),
    Drill(
        "11 digests of the manifest are in capitals",
        lambda at: (at / MANIFEST).write_bytes(
            re.sub(rb"^.{64}", lambda found: found[0].upper(), (at / MANIFEST).read_bytes(), flags=re.MULTILINE)
        ),
        (MANIFEST,),
        ("bagit", "page"),
    ),
    Drill(
        "11 the manifest names a path outside the bag",
        lambda at: change(at / MANIFEST, r"data/scope\.json", "../README.txt"),
        (MANIFEST,),
        ("bagit", "page"),
    ),
    Drill("12 a custody line is edited", lambda at: change(at / "custody.jsonl", "court|Ben Roe", "garage"),
          ("custody.jsonl",), ("page",)),
    Drill("12 a custody line is deleted", lambda at: _without_line(at / "custody.jsonl", 2), ("custody.jsonl",),
          ("page",)),
    Drill("12 a custody line is inserted", lambda at: _inserted(at / "custody.jsonl", 6), ("custody.jsonl",),
          ("page",)),
    Drill("12 two custody lines are swapped", lambda at: _swapped_lines(at / "custody.jsonl", 6, 7),
          ("custody.jsonl",), ("page",)),
    Drill("12 the log is cut behind the sealing", lambda at: _cut(at / "custody.jsonl", 4), ("custody.jsonl",),
          ("page",)),
    Drill("12 the sealed log is cut", lambda at: _cut(at / "bag/custody.jsonl", 3), ("bag/custody.jsonl",),
          ("bagit", "page")),
    Drill("12 both logs are edited alike", _in_both_logs, ("custody.jsonl", "bag/custody.jsonl"), ("bagit", "page")),
    Drill("12 an event has a name that there is not", _unknown_event, ("custody.jsonl",), ("page",)),
    Drill("13 the whole log is written anew with a sound chain", _rewritten, ("custody.jsonl", "seal/statement.json"),
          ("page",)),
    Drill("23 two names differ in their composition alone", _two_normalised, (MANIFEST,), ("bagit", "page")),
]  # fmt: skip


def ids(drill: Drill) -> str:
    return drill.name


@pytest.fixture(params=DRILLS, ids=ids)
def drill(request: pytest.FixtureRequest) -> Drill:
    return request.param  # type: ignore[no-any-return]


def test_every_drill_ends_with_4_and_names_what_was_touched(
    drill: Drill, stamped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drill.do(stamped)
    assert main(["verify", str(stamped), "--json"]) == 4
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "broken"
    assert set(drill.named) <= {problem["path"] for problem in found["problems"]}, found["problems"]
    assert found["anchored"].startswith("The folder is broken")


def test_two_names_that_differ_in_composition_alone_are_told_as_such(stamped: Path) -> None:
    _two_normalised(stamped)
    assert any("is one name with" in str(problem) for problem in verify(stamped).problems)


def test_a_clock_that_went_back_is_remarked_and_breaks_nothing(stamped: Path, lab: Any) -> None:
    """22: the line is no forgery, but a court will ask."""
    log = CustodyLog.open(stamped / "custody.jsonl", host="bench",
                          clock=lambda: Moment("2020-01-01T00:00:00.000Z", "2020-01-01T00:00:00.000+00:00", "UTC", "system"))  # fmt: skip  # noqa: E501
    log.append("note", result="ok", actor="Ann Lee")
    assert [entry.line.event for entry in read(log.path) if entry.line][-2:] == ["clock-anomaly", "note"]
    assert verify(stamped).verdict == "intact"
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(lines[:11]))
    log.append("note", result="ok", actor="Ann Lee")
    # The same without the line that owns up to it: an old bagtag, or somebody who writes lines by hand.
    raw = log.path.read_bytes().splitlines()
    second = json.loads(raw[-1]) | {"seq": 11, "prev": hashlib.sha256(raw[10]).hexdigest()}
    log.path.write_bytes(b"\n".join([*raw[:11], json.dumps(second, separators=(",", ":")).encode(), b""]))
    result = verify(stamped)
    assert result.verdict == "intact"
    assert any("a clock went back" in note for note in result.notes)


def test_a_file_that_grows_while_it_is_hashed_is_named(stamped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """24: whoever writes to the folder while it is checked."""
    hashed = contents.hashed

    def growing(source: Any) -> Any:
        found = hashed(source)
        if isinstance(source.name, int) and found.sha256 == sha256(stamped / INFO):
            return type(found)(found.sha256, found.size + 1)
        return found

    monkeypatch.setattr(contents, "hashed", growing)
    (problem,) = [each for each in verify(stamped).problems if each.path == INFO]
    assert problem.what == "changed while it was read (bytes)"


# -- 14, 16: other keys, other folders -------------------------------------------------------------------------------


def test_a_forged_folder_signed_by_another_key_is_intact_at_most(stamped: Path, stranger: Any, lab: Any) -> None:
    """14: whoever has no key of the lab can make everything anew, and sign it with a key of his own."""
    forge(stamped)
    stranger.sign(stamped)
    result = verify(stamped)
    assert (result.verdict, result.problems) == ("intact", ())
    assert {each.verdict for each in result.signatures} == {"good"}
    result = verify(stamped, trust=[lab.public])
    assert result.verdict == "broken"
    assert main(["verify", str(stamped), "--trust", str(lab.public)]) == 4


def test_a_forger_who_keeps_the_old_signature_is_found_out(stamped: Path, signed_evidence: Path, lab: Any) -> None:
    forge(stamped)
    for path in (signed_evidence / "seal").glob(f"{lab.signer.keyid}*"):
        shutil.copy(path, stamped / "seal" / path.name)
    result = verify(stamped)
    assert [each.path for each in result.problems] == [f"seal/{lab.signer.keyid}.sig"]


def test_a_forger_who_writes_his_key_under_the_labs_id_is_found_out(stamped: Path, stranger: Any, lab: Any) -> None:
    raw = (stamped / "seal/statement.json").read_bytes()
    (stamped / f"seal/{lab.signer.keyid}.sig").write_bytes(stranger.signer.sign(raw))
    (stamped / f"seal/{lab.signer.keyid}.pub.pem").write_bytes(stranger.signer.public.pem)
    problems = verify(stamped).problems
    assert "is another key than its name says" in "\n".join(
        each.what for each in problems if each.path == f"seal/{lab.signer.keyid}.pub.pem"
    )


@pytest.fixture
def other(build_folder: Callable[..., Path], payload: dict[str, bytes], lab: Any, authority: Any) -> Path:
    """Another case of the same lab, signed, stamped and handed over like the first."""
    changed = {name: content + b" " for name, content in payload.items() if not name.endswith(".jsonl")}
    made = build_folder(payload | changed | {"data/inventory/files.jsonl": b""}, day="2024-02-29")
    lab.sign(made)
    lab.stamp(made, authority.stamp, authority.ca_pem)
    lab.hand_over(made)
    assert verify(made).problems == ()
    return made


def test_every_file_that_changes_places_with_that_of_another_folder_is_named(
    stamped: Path, stamped_evidence: Path, other: Path
) -> None:
    """16, for every file and not for the seal alone."""
    for path in files(stamped):
        name = path.relative_to(stamped).as_posix()
        if not (other / name).exists() or sha256(other / name) == sha256(path):
            continue  # both folders have the same: a swap of these is none
        shutil.copy(other / name, path)
        assert name in paths(broken(stamped)), name
        shutil.copy(stamped_evidence / name, path)
    assert verify(stamped).problems == ()


@pytest.mark.parametrize("name", ["bag", "seal", "bag/data"])
def test_every_folder_that_changes_places_with_that_of_another_is_noticed(
    stamped: Path, other: Path, name: str
) -> None:
    shutil.rmtree(stamped / name)
    shutil.copytree(other / name, stamped / name)
    broken(stamped)


# -- 15: stamps ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["other-content", "other-nonce", "stranger", "truncated", "trailing"])
def test_every_wrong_stamp_is_named(folder: Path, lab: Any, authority: Any, way: str) -> None:
    from bagtag.custody import stamp

    raw = (folder / "seal/statement.json").read_bytes()

    def answer(request: bytes) -> bytes:
        if way == "other-content":
            return bytes(authority.stamp(stamp.request(raw + b" ")))
        if way == "other-nonce":
            return bytes(authority.stamp(stamp.request(raw)))
        response = bytes(authority.stamp(request, "stranger" if way == "stranger" else "tsa"))
        return {"truncated": response[:-1], "trailing": response + b"\0"}.get(way, response)

    lab.stamp(folder, answer)
    result = verify(folder, tsa_ca=[authority.ca])
    assert result.verdict == "broken"
    assert {"seal" if way == "stranger" else "seal/1.tsr"} <= paths(result)
    if way == "stranger":  # only whoever names his authority can know
        assert verify(folder).verdict == "intact"
        assert result.stamps[0].verdict == "not-accepted"


# -- single bytes, whole files, lines --------------------------------------------------------------------------------


def paths(result: Verification) -> set[str]:
    return {problem.path for problem in result.problems}


def broken(folder: Path) -> Verification:
    result = verify(folder)
    assert result.verdict == "broken"
    return result


def grid(length: int, points: int) -> Iterator[int]:
    """Places in a file: both ends, and evenly between."""
    yield from sorted({*range(0, length, max(1, length // points)), *range(min(3, length)), length - 2, length - 1})


def test_a_bit_that_is_turned_anywhere_is_noticed_and_its_file_named(stamped: Path) -> None:
    tail = len((stamped / "custody.jsonl").read_bytes().splitlines(keepends=True)[-1])
    for path in files(stamped):
        raw, name = path.read_bytes(), path.relative_to(stamped).as_posix()
        for place in grid(len(raw), 40):
            if place < 0 or (name == "custody.jsonl" and place >= len(raw) - tail):
                continue  # the last line, which nothing covers: see below
            flip(path, place, place % 7)
            assert name in paths(broken(stamped)), (name, place)
            path.write_bytes(raw)
    assert verify(stamped).problems == ()


def test_a_bit_that_is_turned_in_a_seal_that_no_line_names_is_noticed_too(
    folder: Path, lab: Any, authority: Any
) -> None:
    """Nothing can be hidden in the form of a file: each is made again from what it says, and compared."""
    lab.sign(folder)
    lab.stamp(folder, authority.stamp)
    _cut(folder / "custody.jsonl", 5)
    assert verify(folder).problems == ()
    for path in files(folder / "seal"):
        raw, name = path.read_bytes(), path.relative_to(folder).as_posix()
        for place in grid(len(raw), 150):
            flip(path, place, place % 8)
            assert name in paths(broken(folder)), (name, place)
            path.write_bytes(raw)


def test_a_byte_more_or_less_at_either_end_of_any_file_is_noticed(stamped: Path) -> None:
    for path in files(stamped):
        raw, name = path.read_bytes(), path.relative_to(stamped).as_posix()
        for changed in {raw + b"\n", raw + b"\0", b"\n" + raw, raw[:-1], raw[1:]} - {raw}:
            path.write_bytes(changed)
            assert name in paths(broken(stamped)), name
        path.write_bytes(raw)


def test_every_file_that_is_taken_out_is_missed(stamped: Path) -> None:
    for path in files(stamped):
        raw = path.read_bytes()
        path.unlink()
        assert path.relative_to(stamped).as_posix() in paths(broken(stamped)), path
        path.write_bytes(raw)


def test_a_file_that_is_put_in_anywhere_is_named(stamped: Path) -> None:
    folders = [stamped, *sorted(path for path in stamped.rglob("*") if path.is_dir())]
    for place in folders:
        for name in ("planted.json", ".hidden", "Thumbs.db"):
            (place / name).write_text("{}")
            assert (place / name).relative_to(stamped).as_posix() in paths(broken(stamped))
            (place / name).unlink()
    assert verify(stamped).problems == ()


@pytest.mark.parametrize("name", ["custody.jsonl", "bag/custody.jsonl"])
def test_every_line_that_is_edited_deleted_inserted_or_swapped_is_noticed(stamped: Path, name: str) -> None:
    raw = (stamped / name).read_bytes()
    lines = raw.splitlines(keepends=True)
    last = len(lines) - 1
    assert last == (10 if name == "custody.jsonl" else 3)
    for number, line in enumerate(lines):
        ways = {
            "edited": [*lines[:number], re.sub(rb'"at":"20', b'"at":"19', line, count=1), *lines[number + 1 :]],
            "deleted": lines[:number] + lines[number + 1 :],
            "inserted": [*lines[:number], line, *lines[number:]],
            "swapped": [*lines[: number - 1], line, lines[number - 1], *lines[number + 1 :]] if number else lines[::-1],
            "emptied": [*lines[:number], b"\n", *lines[number + 1 :]],
        }
        for way, changed in ways.items():
            if name == "custody.jsonl" and number == last and way in {"edited", "deleted"}:
                continue  # the end of the living log: see below
            (stamped / name).write_bytes(b"".join(changed))
            assert name in paths(broken(stamped)), (way, number)
    (stamped / name).write_bytes(raw)


# -- the end of the log ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", range(5, 11))
def test_a_log_that_lost_its_end_is_noticed_where_a_file_of_the_seal_or_another_log_knows_better(
    stamped: Path, stamped_evidence: Path, keep: int
) -> None:
    _cut(stamped / "custody.jsonl", keep)
    result = verify(stamped)
    if keep < 9:
        # The signature or the stamp is there and nobody wrote down that it came.
        assert any("no line of custody.jsonl names it" in note for note in result.notes)
    result = verify(stamped, other_log=stamped_evidence / "custody.jsonl")
    assert result.verdict == "broken"
    assert f"was cut: the other copy goes on after line {keep - 1}" in "\n".join(map(str, result.problems))


def test_a_log_cut_below_the_line_that_the_statement_names_is_broken(stamped: Path) -> None:
    _cut(stamped / "custody.jsonl", 4)
    assert {"custody.jsonl", "seal/statement.json"} <= paths(broken(stamped))


def test_a_signed_line_that_is_changed_is_noticed_by_the_signature_behind_it(stamped: Path) -> None:
    """Even with the chain mended: the signature names the line by its digest."""
    lines = (stamped / "custody.jsonl").read_bytes().splitlines()
    lines[9] = lines[9].replace(b"Ben Roe", b"Bob Roe")
    lines[10] = lines[10].replace(
        json.loads(lines[10])["prev"].encode(), hashlib.sha256(lines[9]).hexdigest().encode()
    )  # of and prev alike
    (stamped / "custody.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    problems = broken(stamped).problems
    assert [(each.path, each.what) for each in problems] == [
        ("custody.jsonl", "line 10 is no signature of line 9 by its key")
    ]


def test_the_last_line_can_be_changed_or_cut_unseen_and_that_is_said(
    stamped: Path, stamped_evidence: Path, lab: Any
) -> None:
    lab.hand_over(stamped, 40, signed=False)
    assert "lines 0–9 are covered by a signature" in verify(stamped).anchored
    assert "10–11 by nothing: such a tail can be cut off, or its last line changed, unseen" in verify(stamped).anchored
    kept = Path(shutil.copy(stamped / "custody.jsonl", stamped.parent / "theirs.jsonl"))
    for way in (lambda: change(stamped / "custody.jsonl", "to Ben Roe(?=[^\n]*\n\\Z)", "to Bob Roe"),
                lambda: _cut(stamped / "custody.jsonl", 11)):  # fmt: skip
        way()  # type: ignore[no-untyped-call]
        assert verify(stamped).verdict == "intact"
        assert "by nothing" in verify(stamped).anchored
        assert paths(verify(stamped, other_log=kept)) == {"custody.jsonl"}
        shutil.copy(kept, stamped / "custody.jsonl")


# -- stock judges ----------------------------------------------------------------------------------------------------


def by_bagit(folder: Path) -> list[str]:
    logging.disable(logging.CRITICAL)
    try:
        bagit.Bag(str(folder / "bag")).validate()
    except (bagit.BagError, ValueError, OSError) as trouble:
        return [str(trouble)]
    finally:
        logging.disable(logging.NOTSET)
    return []


def by_profile(folder: Path) -> list[str]:
    raw = json.loads((README.parent / "profile.json").read_text("utf-8"))
    judge = bagit_profile.Profile("urn:bagtag:bagit-profile:1", profile=raw)
    try:
        fits = judge.validate(bagit.Bag(str(folder / "bag")))
    except (bagit.BagError, ValueError, OSError) as trouble:
        return [str(trouble)]
    return [] if fits else [str(judge.report.errors)]


def by_page(folder: Path) -> list[str]:
    """sha256sum, cmp, find and grep, as README.txt of every folder has them."""
    page = README.read_text("utf-8").partition("HOW TO CHECK")[2].partition("10. A signature")[0]
    said = []
    for command in re.findall(r"^    (\S.*)$", page, flags=re.MULTILINE):
        done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode or done.stderr or (done.stdout and "tagmanifest-sha256.txt" not in done.stdout):
            said.append(f"{command}: {done.returncode} {done.stdout} {done.stderr}")
    return said


def by_openssl(folder: Path, ca: Path) -> list[str]:
    """Each signature and each stamp by its own, the key's id by its digest."""
    said = []

    def run(*words: str | Path) -> bytes:
        done = subprocess.run(["openssl", *words], cwd=folder / "seal", capture_output=True, check=False)
        if done.returncode:
            said.append(f"{words}: {done.stderr.decode()}")
        return done.stdout

    for path in sorted((folder / "seal").glob("*.sig")):
        key = f"{path.stem}.pub.pem"
        run("pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", key, "-in", "statement.json", "-sigfile", path.name)
        if hashlib.sha256(run("pkey", "-pubin", "-in", key, "-outform", "DER")).hexdigest() != path.stem:
            said.append(f"{key} has another id")
    for path in sorted((folder / "seal").glob("*.tsr")):
        run("ts", "-verify", "-data", "statement.json", "-in", path.name, "-CAfile", ca)
        run("ts", "-verify", "-queryfile", f"{path.stem}.tsq", "-in", path.name, "-CAfile", ca)
    return said


@pytest.mark.program("openssl")
@pytest.mark.program("sha256sum")
@pytest.mark.program("cmp")
def test_the_stock_judges_find_nothing_wrong_with_an_untouched_folder(stamped: Path, authority: Any) -> None:
    assert by_bagit(stamped) + by_profile(stamped) + by_page(stamped) + by_openssl(stamped, authority.ca) == []


@pytest.mark.slow
@pytest.mark.program("sha256sum")
@pytest.mark.program("cmp")
def test_the_stock_judges_agree_on_every_drill(drill: Drill, stamped: Path) -> None:
    drill.do(stamped)
    said = {"bagit": by_bagit, "profile": by_profile, "page": by_page}
    silent = [name for name in drill.judge if not said[name](stamped)]
    assert silent == []


@pytest.mark.slow
@pytest.mark.program("openssl")
@pytest.mark.parametrize("name", ["KEYID.sig", "KEYID.pub.pem", "statement.json", "1.tsr", "1.tsq"])
def test_openssl_notices_a_turned_bit_in_the_seal_as_we_do(stamped: Path, lab: Any, authority: Any, name: str) -> None:
    path = stamped / "seal" / name.replace("KEYID", lab.signer.keyid)
    raw = path.read_bytes()
    for place in grid(len(raw), 5):
        if name == "KEYID.pub.pem" and not 27 < place < len(raw) - 26:
            continue  # openssl reads a key whatever stands round it, and forgives a missing newline
        if name == "1.tsq" and place == len(raw) - 1:
            continue  # certReq: for openssl every byte but 0 is TRUE, in canonical form only 255
        flip(path, place)
        assert by_openssl(stamped, authority.ca), place
        assert f"seal/{path.name}" in paths(broken(stamped)), place
        path.write_bytes(raw)


def test_a_file_that_the_disk_cannot_read_is_named(stamped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad sector in a small file is no less than one in a large one."""
    whole = os.open
    for path in files(stamped):
        name = path.relative_to(stamped).as_posix()

        def failing(place: Any, *rest: Any, bad: Path = path, **more: Any) -> int:
            if Path(place) == bad:
                raise OSError(5, "Input/output error")
            return whole(place, *rest, **more)

        with monkeypatch.context() as disk:
            disk.setattr(os, "open", failing)
            result = verify(stamped)
        assert result.verdict == "broken"
        said = [each.what for each in result.problems if each.path == name]
        assert any("Input/output error" in what for what in said), (name, result.problems)
    assert verify(stamped).problems == ()


@pytest.mark.skipif(os.name != "posix", reason="folders cannot be made read-only here")
def test_a_read_only_folder_is_judged_like_any_other(stamped: Path, lab: Any, authority: Any) -> None:
    places = [stamped, *stamped.rglob("*")]
    for path in places:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        result = verify(stamped, trust=[lab.public], tsa_ca=[authority.ca])
    finally:
        for path in places:
            path.chmod(0o700)
    assert (result.verdict, result.problems) == ("authentic", ())
