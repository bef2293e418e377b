"""Tamper drills: whatever is done to an evidence folder, `verify` says broken and names the file.

And the other side: what an untouched folder may be called, and how far its log is held by anything.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from bagtag.custody.errors import EvidenceError, UsageError
from bagtag.custody.line import CustodyLine, digest
from bagtag.custody.log import CustodyLog, read
from bagtag.reports.bundle import statement
from bagtag.reports.bundle.statement import Statement
from bagtag.reports.bundle.verdict import Verification
from bagtag.reports.bundle.verify import verify

README = Path(__file__).parents[3] / "reports/bundle/README.txt"


def broken(folder: Path, *names: str) -> Verification:
    """The verdict is broken, and each of `names` is the path of a problem."""
    result = verify(folder)
    assert result.verdict == "broken"
    paths = {problem.path for problem in result.problems}
    assert set(names) <= paths, result.problems
    return result


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# -- an untouched folder ---------------------------------------------------------------------------------------------


def test_an_untouched_folder_is_intact_and_its_digests_are_those_of_its_manifests(evidence: Path) -> None:
    result = verify(evidence)
    assert (result.verdict, result.problems) == ("intact", ())
    assert result.payload_digest == sha256(evidence / "bag/manifest-sha256.txt")
    assert result.bag_digest == sha256(evidence / "bag/tagmanifest-sha256.txt")


def test_with_the_bag_digest_from_outside_it_is_authentic(evidence: Path) -> None:
    result = verify(evidence, expect=" " + sha256(evidence / "bag/tagmanifest-sha256.txt").upper() + "\n")
    assert (result.verdict, result.problems) == ("authentic", ())
    assert "lines 0–3 are covered by the bag digest that was given, 4 by seal/statement.json alone" in result.anchored


def test_another_bag_digest_from_outside_breaks_it(evidence: Path) -> None:
    result = verify(evidence, expect="0" * 64)
    assert result.verdict == "broken"
    assert [(problem.path, problem.expected) for problem in result.problems] == [
        ("bag/tagmanifest-sha256.txt", "0" * 64)
    ]


@pytest.mark.parametrize("expect", ["", "abc", "g" * 64, "0" * 65])
def test_what_is_no_digest_is_a_mistake_in_the_call(evidence: Path, expect: str) -> None:
    with pytest.raises(UsageError):
        verify(evidence, expect=expect)


def test_checking_changes_nothing(folder: Path) -> None:
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files(folder)}
    verify(folder)
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files(folder)} == before


def test_progress_is_told_of_every_payload_byte(evidence: Path, payload: dict[str, bytes]) -> None:
    class Watcher:
        total: int | None = None
        done = 0

        def step(self, title: str, total: int | None = None) -> None:
            self.total = total

        def advance(self, amount: int = 1) -> None:
            self.done += amount

    watcher = Watcher()
    verify(evidence, progress=watcher)
    assert watcher.done == watcher.total == sum(map(len, payload.values()))


@pytest.mark.parametrize("place", ["bag", "seal", "nowhere", "README.txt"])
def test_what_is_no_evidence_folder_is_refused_and_not_judged(evidence: Path, place: str, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError):
        verify(evidence / place)
    with pytest.raises(EvidenceError):
        verify(tmp_path)


def test_no_sentence_for_an_intact_or_broken_folder_holds_the_word_for_authentic_ones(folder: Path) -> None:
    log = CustodyLog.open(folder / "custody.jsonl")
    log.begin("verified", actor="Ann Lee")
    for result in (verify(folder), verify(folder, expect="0" * 64)):
        told = " ".join([result.anchored, *result.notes, *map(str, result.problems)])
        assert "verified" not in told
        assert "line 5 begins a step" in told


# -- single bytes ----------------------------------------------------------------------------------------------------


def test_a_flipped_bit_in_any_file_at_several_places_is_noticed_and_the_file_named(folder: Path) -> None:
    for path in files(folder):
        raw = path.read_bytes()
        for position in sorted({0, 1, len(raw) // 3, len(raw) // 2, len(raw) - 2, len(raw) - 1}):
            if 0 <= position < len(raw):
                path.write_bytes(raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :])
                broken(folder, path.relative_to(folder).as_posix())
        path.write_bytes(raw)
    assert verify(folder).verdict == "intact"


@pytest.mark.parametrize("name", ["seal/statement.json", "custody.jsonl", "bag/bag-info.txt", "bag/bagit.txt"])
def test_a_changed_bit_anywhere_in_the_small_files_counts(folder: Path, name: str) -> None:
    raw = (folder / name).read_bytes()
    for position in range(0, len(raw), 1 if len(raw) < 100 else len(raw) // 60):
        (folder / name).write_bytes(raw[:position] + bytes([raw[position] ^ 4]) + raw[position + 1 :])
        broken(folder, name)


def test_a_byte_more_or_less_in_any_file_is_noticed(folder: Path) -> None:
    for path in files(folder):
        raw = path.read_bytes()
        for changed in (raw + b"\n", raw[:-1] if raw else b"x"):
            path.write_bytes(changed)
            broken(folder, path.relative_to(folder).as_posix())
        path.write_bytes(raw)


# -- whole files and folders -----------------------------------------------------------------------------------------


def test_every_file_that_is_taken_out_is_missed(folder: Path) -> None:
    for path in files(folder):
        raw = path.read_bytes()
        path.unlink()
        broken(folder, path.relative_to(folder).as_posix())
        path.write_bytes(raw)


@pytest.mark.parametrize("name", ["bag", "seal", "bag/data", "bag/schemas", "bag/data/files"])
def test_a_folder_that_is_taken_out_is_missed(folder: Path, name: str) -> None:
    shutil.rmtree(folder / name)
    broken(folder)


@pytest.mark.parametrize(
    "name",
    [
        "planted.txt", "custody.jsonl.bak", "bag/planted.txt", "bag/fetch.txt", "bag/manifest-sha512.txt",
        "bag/schemas/planted.txt", "bag/schemas/planted.json", "bag/data/planted.txt", "bag/data/files/a/b/planted",
        "bag/data/a\nb", "seal/planted.txt",
        f"seal/{'a' * 64}.sig", f"seal/{'a' * 64}.pub.pem",
        "seal/ab.sig", "seal/ab.pub.pem", "seal/1.tsq", "seal/1.tsr", "seal/1.chain.pem",
        "data/x",
    ],
)  # fmt: skip
def test_a_file_that_is_put_in_is_named(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"planted")
    broken(folder, "data" if name == "data/x" else name)


@pytest.mark.parametrize("name", ["empty", "bag/empty", "bag/data/empty", "bag/schemas/empty", "seal/empty"])
def test_an_empty_folder_that_is_put_in_is_named(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    broken(folder, name)


def test_a_link_in_the_place_of_a_file_is_named_even_when_its_bytes_are_right(folder: Path) -> None:
    for name in ("bag/data/scope.json", "bag/bag-info.txt", "README.txt", "custody.jsonl", "seal/statement.json"):
        path, outside = folder / name, folder.parent / "outside"
        path.rename(outside)
        path.symlink_to(outside)
        broken(folder, name)
        path.unlink()
        outside.rename(path)


@pytest.mark.parametrize("name", ["bag", "bag/data", "bag/schemas", "bag/data/files", "seal"])
def test_a_link_in_the_place_of_a_folder_is_named(folder: Path, name: str) -> None:
    (folder / name).rename(folder.parent / "outside")
    (folder / name).symlink_to(folder.parent / "outside")
    broken(folder, name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes on this system")
@pytest.mark.parametrize("name", ["bag/data/pipe", "bag/manifest-sha256.txt", "custody.jsonl", "seal/statement.json"])
def test_a_named_pipe_is_named_and_never_waited_for(folder: Path, name: str) -> None:
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    broken(folder, name)


def test_two_files_that_change_places_are_both_named(folder: Path) -> None:
    one, two = "bag/data/scope.json", "bag/data/source/Info.plist"
    (folder / one).rename(folder / "keep")
    (folder / two).rename(folder / one)
    (folder / "keep").rename(folder / two)
    assert len(broken(folder, one, two).problems) == 2


def test_a_file_that_is_renamed_is_missing_and_unlisted(folder: Path) -> None:
    (folder / "bag/data/scope.json").rename(folder / "bag/data/Scope.json")
    broken(folder, "bag/data/scope.json", "bag/data/Scope.json")


# -- manifests -------------------------------------------------------------------------------------------------------


def relisted(folder: Path, change: Callable[[list[str]], list[str]], name: str = "manifest-sha256.txt") -> None:
    path = folder / "bag" / name
    path.write_text("".join(change(path.read_text("utf-8").splitlines(keepends=True))), "utf-8")


@pytest.mark.parametrize("name", ["manifest-sha256.txt", "tagmanifest-sha256.txt"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: [lines[1], lines[0], *lines[2:]], "line 2 is out of order"),
        (lambda lines: [lines[0], *lines], "line 2 names .* a second time"),
        (lambda lines: lines[1:], "no manifest lists"),
        (lambda lines: [*lines, "0" * 64 + "  zzz\n"], "line . names zzz, which belongs in no such|zzz.* not there"),
        (lambda lines: ["0" * 64 + "  ../x\n", *lines], "line 1 names an unsafe path"),
        (lambda lines: [lines[0].replace("  ", " *"), *lines[1:]], "line 1 is no line of digest"),
        (lambda lines: [lines[0].upper(), *lines[1:]], "line 1 is no line of digest"),
        (lambda lines: [], "no manifest lists"),
    ],
)
def test_a_manifest_in_another_form_is_named_with_its_line(
    folder: Path, name: str, change: Callable[[list[str]], list[str]], said: str
) -> None:
    relisted(folder, change, name)
    told = "\n".join(map(str, broken(folder, f"bag/{name}").problems))
    assert re.search(said, told), told


def test_a_line_out_of_order_does_not_make_its_file_missing_or_unlisted(folder: Path) -> None:
    relisted(folder, lambda lines: [lines[1], lines[0], *lines[2:]])
    assert {problem.path for problem in verify(folder).problems} == {
        "bag/manifest-sha256.txt", "seal/statement.json"
    }  # fmt: skip


def test_label_and_tag_manifest_changed_together_are_noticed(folder: Path) -> None:
    path = folder / "bag/bag-info.txt"
    path.write_bytes(path.read_bytes().replace(b"Ann Lee", b"Bob Lee"))
    listed = folder / "bag/tagmanifest-sha256.txt"
    listed.write_text(re.sub(r"^.{64}(?=  bag-info)", sha256(path), listed.read_text("utf-8"), flags=re.MULTILINE))
    broken(folder, "bag/tagmanifest-sha256.txt")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (rb"Payload-Oxum: \d+", b"Payload-Oxum: 1", "Payload-Oxum is not that of the payload"),
        (rb"Evidence-Examiner: .*\n", b"", "lacks a label"),
        (rb"(Evidence-Examiner: .*\n)", rb"\1\1", "more than once"),
        (rb"profile:1\n", b"profile:2\n", "does not allow"),
        (rb": logical/iTunes-backup", b" logical/iTunes-backup", "is no `Label: value`"),
    ],
)
def test_a_label_that_breaks_the_profile_is_named(folder: Path, before: bytes, after: bytes, said: str) -> None:
    path = folder / "bag/bag-info.txt"
    changed, count = re.subn(before, after, path.read_bytes())
    assert count
    path.write_bytes(changed)
    assert said in "\n".join(map(str, broken(folder, "bag/bag-info.txt").problems))


def recompute(folder: Path) -> None:
    """Everything inside the bag is made to agree again, as a forger would."""
    bag = folder / "bag"
    for name in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        relisted(folder, lambda lines: [f"{sha256(bag / line[66:-1])}  {line[66:]}" for line in lines], name)


def test_payload_and_manifests_recomputed_are_noticed_by_what_lies_outside_the_bag(folder: Path) -> None:
    (folder / "bag/data/source/Info.plist").write_bytes(b"<plisT/>")
    recompute(folder)
    broken(folder, "bag/manifest-sha256.txt", "bag/tagmanifest-sha256.txt")


def reseal(folder: Path) -> None:
    """Everything there is is made anew, the custody log too: only an anchor from outside can notice."""
    recompute(folder)
    bag, lines = folder / "bag", [entry.line for entry in read(folder / "custody.jsonl")]
    (folder / "custody.jsonl").unlink()
    log = CustodyLog.open(folder / "custody.jsonl", host="bench")
    for line in lines:
        assert isinstance(line, CustodyLine)
        outputs = line.outputs
        for artifact in outputs:
            path = folder / artifact.name if artifact.name == "README.txt" else bag / artifact.name
            changed = type(artifact)(artifact.name, path.stat().st_size, sha256(path))
            outputs = tuple(changed if output is artifact else output for output in outputs)
        written = log.append(line.event, result=line.result, actor=line.actor, outputs=outputs)
        if line.event == "sealed":
            shutil.copy(folder / "custody.jsonl", bag / "custody.jsonl")
            recompute(folder)
    digests = [sha256(bag / name) for name in ("tagmanifest-sha256.txt", "manifest-sha256.txt")]
    facts = Statement(digests[0], digests[1], log.head, written.seq)
    (folder / "seal/statement.json").write_bytes(statement.render(facts))


def test_a_folder_made_anew_is_intact_and_never_authentic(evidence: Path, folder: Path) -> None:
    (folder / "bag/data/source/Info.plist").write_bytes(b"<plisT/>")
    reseal(folder)
    assert verify(folder).problems == ()
    assert "lines 0–4 are covered by seal/statement.json alone, which nobody signed" in verify(folder).anchored
    assert verify(folder, expect=sha256(evidence / "bag/tagmanifest-sha256.txt")).verdict == "broken"


def test_the_statement_of_another_folder_does_not_fit(
    folder: Path, build_folder: Callable[[dict[str, bytes]], Path], payload: dict[str, bytes]
) -> None:
    other = build_folder(payload | {"data/scope.json": b"{} "})
    shutil.copy(other / "seal/statement.json", folder / "seal/statement.json")
    broken(folder, "seal/statement.json")


# -- custody ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["custody.jsonl", "bag/custody.jsonl"])
@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("change", ["edit", "delete", "insert", "swap", "cut"])
def test_whatever_is_done_to_a_line_of_either_log_is_noticed(folder: Path, name: str, number: int, change: str) -> None:
    lines = (folder / name).read_bytes().splitlines(keepends=True)
    if change == "edit":
        lines[number] = lines[number].replace(b"Ann Lee", b"Bob Lee")
    elif change == "delete":
        del lines[number]
    elif change == "insert":
        lines.insert(number, lines[number])
    elif change == "swap":
        lines[number], lines[number - 1] = lines[number - 1], lines[number]
    else:
        del lines[number:]
    (folder / name).write_bytes(b"".join(lines))
    broken(folder, name)


def test_the_first_line_after_the_sealing_must_name_the_bag_digest(folder: Path) -> None:
    lines = (folder / "custody.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "custody.jsonl").write_bytes(b"".join(lines[:-1]))
    CustodyLog.open(folder / "custody.jsonl").append("note", result="ok", actor="Bob Lee")
    told = map(str, broken(folder, "custody.jsonl").problems)
    assert any("line 4 does not name the bag digest" in line for line in told)


def test_a_second_sealing_is_a_problem(folder: Path) -> None:
    CustodyLog.open(folder / "custody.jsonl").append("sealed", result="ok", actor="Bob Lee")
    assert any("is not sealed once" in str(problem) for problem in broken(folder, "custody.jsonl").problems)


def grown(folder: Path, *notes: str) -> None:
    log = CustodyLog.open(folder / "custody.jsonl")
    for note in notes:
        log.append("transferred", result="ok", actor="Bob Lee", note=note)


def test_a_log_that_went_on_is_intact_and_its_uncovered_tail_is_told(folder: Path) -> None:
    grown(folder, "to the court", "back")
    result = verify(folder)
    assert result.verdict == "intact"
    assert result.anchored == (
        "lines 0–4 are covered by seal/statement.json alone, which nobody signed, 5–6 by nothing: such a tail can be "
        "cut off, or its last line changed, unseen."
    )


def test_the_other_partys_copy_shows_that_the_tail_was_cut(folder: Path, tmp_path: Path) -> None:
    grown(folder, "to the court", "back")
    copy = Path(shutil.copy(folder / "custody.jsonl", tmp_path / "theirs.jsonl"))
    assert "lines 0–6 are covered by the other copy of the log." in verify(folder, other_log=copy).anchored
    lines = copy.read_bytes().splitlines(keepends=True)
    (folder / "custody.jsonl").write_bytes(b"".join(lines[:-1]))
    assert verify(folder).verdict == "intact"
    result = verify(folder, other_log=copy)
    assert result.verdict == "broken"
    assert "was cut: the other copy goes on after line 5" in str(result.problems[0])


def test_the_other_partys_copy_shows_that_the_last_line_was_changed(folder: Path, tmp_path: Path) -> None:
    grown(folder, "to the court")
    copy = Path(shutil.copy(folder / "custody.jsonl", tmp_path / "theirs.jsonl"))
    path = folder / "custody.jsonl"
    path.write_bytes(path.read_bytes().replace(b"to the court", b"to my garage"))
    assert verify(folder).verdict == "intact"
    result = verify(folder, other_log=copy)
    assert result.verdict == "broken"
    assert "differs from the other copy from line 5 on" in str(result.problems[0])


def test_an_older_copy_of_the_other_party_covers_what_it_holds(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(folder / "custody.jsonl", tmp_path / "theirs.jsonl"))
    grown(folder, "to the court")
    result = verify(folder, other_log=copy)
    assert result.verdict == "intact"
    assert "lines 0–4 are covered by the other copy of the log, 5 by nothing" in result.anchored


def test_a_copy_that_is_itself_unsound_or_missing_is_said(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(folder / "custody.jsonl", tmp_path / "theirs.jsonl"))
    copy.write_bytes(copy.read_bytes().replace(b"Ann Lee", b"Bob Lee", 1))
    assert verify(folder, other_log=copy).verdict == "broken"
    with pytest.raises(UsageError):
        verify(folder, other_log=tmp_path / "nowhere")
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(UsageError):
        verify(folder, other_log=tmp_path / "empty")


def test_a_signature_whose_key_is_not_at_hand_is_said_to_be_unchecked(folder: Path) -> None:
    path = folder / "custody.jsonl"
    head = digest(path.read_bytes().splitlines()[-1])
    signed = {
        "seq": 5, "event": "signed", "at": "2024-03-01T13:00:00.000Z", "of": head, "keyid": "a" * 64, "sig": "AAAA",
        "prev": head,
    }  # fmt: skip
    path.write_bytes(path.read_bytes() + json.dumps(signed, separators=(",", ":")).encode() + b"\n")
    result = verify(folder)
    assert result.verdict == "intact"
    assert "the signature in line 5 cannot be checked: its key is not at hand" in result.notes[0]


# -- records ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("data/records/messages.jsonl", b"[]\n", "line 1 is no JSON object"),
        ("data/records/messages.jsonl", b"{}\n", "line 1 lacks 'id'"),
        (
            "data/records/messages.jsonl",
            b'{"id":"a"}\n{"id":1}\n{"id":2}\n',
            "line 2 has 'id' of another type.* 1 more",
        ),
        ("data/records/messages.jsonl", b'{"id":"a"}', "line 1 does not end with a newline"),
        ("data/records/messages.jsonl", b"[" * 100_000 + b"\n", "line 1 is no JSON object"),
        (
            "data/records/messages.jsonl",
            b'{"id":"a","attachments":[{"bag_path":"data/files/no","sha256":"00"}]}\n',
            "names data/files/no, which the bag does not hold",
        ),
        (
            "data/inventory/files.jsonl",
            b'{"file_id":"a","bag_path":"data/source/Info.plist","plain":{"sha256":"00"}}\n',
            "says another sha256 of data/source/Info.plist",
        ),
        ("data/records/spells.jsonl", b"{}\n", "no schema in the bag describes"),
    ],
)
def test_records_that_agree_with_their_digests_but_not_with_the_bag_are_named(
    build_folder: Callable[[dict[str, bytes]], Path], payload: dict[str, bytes], name: str, content: bytes, said: str
) -> None:
    made = build_folder(payload | {name: content})
    (problem,) = broken(made, f"bag/{name}").problems
    assert re.search(said, str(problem)), problem


# -- the page that says how to check without bagtag ------------------------------------------------------------------


def commands() -> list[str]:
    """The commands of steps 1 to 9 as the page gives them, one a line."""
    page = README.read_text("utf-8").partition("HOW TO CHECK")[2].partition("10. A signature")[0]
    return re.findall(r"^    (\S.*)$", page, flags=re.MULTILINE)


def judged(folder: Path) -> list[str]:
    """Run the page's commands in the folder; give what was printed or failed."""
    said = []
    for command in commands():
        done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True)
        if done.returncode or done.stderr or (done.stdout and "tagmanifest-sha256.txt" not in done.stdout):
            said.append(f"{command}: {done.returncode} {done.stdout} {done.stderr}")
    return said


@pytest.mark.program("sha256sum")
@pytest.mark.program("cmp")
def test_the_commands_of_the_page_find_an_untouched_folder_sound(folder: Path) -> None:
    grown(folder, "to the court", "back\\n, with 'quotes' and $variables")
    assert len(commands()) == 17
    assert judged(folder) == []


@pytest.mark.program("sha256sum")
@pytest.mark.program("cmp")
def test_the_commands_of_the_page_notice_a_flipped_bit_in_every_file(folder: Path) -> None:
    for path in files(folder):
        raw = path.read_bytes()
        if raw:
            path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
            if path.name != "statement.json":  # its last byte is a newline, which names nothing
                assert judged(folder), path
            path.write_bytes(raw)


@pytest.mark.program("sha256sum")
@pytest.mark.program("cmp")
@pytest.mark.parametrize("name", ["planted.txt", "bag/planted.txt", "bag/data/planted.txt", "bag/fetch.txt"])
def test_the_commands_of_the_page_notice_a_planted_file(folder: Path, name: str) -> None:
    (folder / name).write_text("planted")
    assert judged(folder)


@pytest.mark.program("openssl")
def test_openssl_accepts_a_signature_over_the_statement_as_the_page_tells(folder: Path) -> None:
    seal = folder / "seal"
    for command in (
        "openssl genpkey -algorithm ed25519 -out ../key.pem",
        "openssl pkey -in ../key.pem -pubout -out seal/KEYID.pub.pem",
        "openssl pkeyutl -sign -rawin -inkey ../key.pem -in seal/statement.json -out seal/KEYID.sig",
    ):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    page = README.read_text("utf-8")
    (check,) = re.findall(r"^ +(openssl pkeyutl .*)$", page, flags=re.MULTILINE)
    assert subprocess.run(check.split(), cwd=folder, capture_output=True).returncode == 0
    (seal / "statement.json").write_bytes((seal / "statement.json").read_bytes() + b"\n")
    assert subprocess.run(check.split(), cwd=folder, capture_output=True).returncode != 0


def test_the_page_gives_the_payload_digest_and_leaves_no_place_unfilled(evidence: Path) -> None:
    page = (evidence / "README.txt").read_text("utf-8")
    assert sha256(evidence / "bag/manifest-sha256.txt") in page
    assert "{{" not in page
    assert "Case: 2024-0815\nItem: 7\n" in page


def test_the_chain_is_the_one_the_contract_describes(evidence: Path) -> None:
    lines = (evidence / "custody.jsonl").read_bytes().splitlines()
    assert json.loads(lines[0])["prev"] == "0" * 64
    for before, line in pairwise(lines):
        assert json.loads(line)["prev"] == hashlib.sha256(before).hexdigest()
