"""Signatures and stamps as `verify` judges them: what holds, whom it speaks for, and how far the log is held by it."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.errors import UsageError
from bagtag.custody.line import digest
from bagtag.custody.log import CustodyLog
from bagtag.reports.bundle import seal_folder
from bagtag.reports.bundle.verdict import Verification
from bagtag.reports.bundle.verify import verify

SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")  # RFC 8410, section 10.1


def told(result: Verification) -> str:
    return "\n".join(map(str, result.problems))


def paths(result: Verification) -> set[str]:
    return {problem.path for problem in result.problems}


def register(place: Path, lab: Any, options: str = "", before: str = "") -> Path:
    """An allowed-signers file with the lab's key (RFC 8709's encoding of it in base64)."""
    raw = lab.signer.public.der[len(SPKI_PREFIX) :]
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0 " + raw
    place.write_text(f'{before}"{lab.name}" {options} ssh-ed25519 {base64.b64encode(blob).decode()}\n')
    return place


# -- signatures ------------------------------------------------------------------------------------------------------


def test_a_signature_makes_a_folder_intact_and_covers_the_log_to_the_last_signed_line(
    signed_evidence: Path, lab: Any
) -> None:
    result = verify(signed_evidence)
    assert (result.verdict, result.problems, result.notes) == ("intact", (), ())
    keyid = lab.signer.keyid
    assert result.anchored == (
        f"lines 0–7 are covered by a signature (key {keyid[:8]}…), 8 by nothing: such a tail can be cut off, or its "
        "last line changed, unseen."
    )
    assert [(each.path, each.keyid, each.verdict, each.name) for each in result.signatures] == [
        (f"seal/{keyid}.sig", keyid, "good", None),
        ("custody.jsonl", keyid, "good", None),
        ("custody.jsonl", keyid, "good", None),
    ]
    assert result.signatures[0].covers == "the bag digest and lines 0–4 of custody.jsonl"
    assert result.signatures[0].at == "2024-03-01T12:10:00.000Z"
    assert result.signatures[1].covers == "lines 0–5 of custody.jsonl"


def test_with_the_signers_key_it_is_authentic(signed_evidence: Path, lab: Any) -> None:
    result = verify(signed_evidence, trust=[lab.public])
    assert (result.verdict, result.problems) == ("authentic", ())
    assert {each.verdict for each in result.signatures} == {"trusted"}
    assert result.anchored.startswith("lines 0–7 are covered by a trusted signature (key ")


def test_with_a_register_the_signer_has_a_name(signed_evidence: Path, lab: Any, tmp_path: Path) -> None:
    result = verify(signed_evidence, trust=[register(tmp_path / "signers", lab)])
    assert result.verdict == "authentic"
    assert {each.name for each in result.signatures} == {"Ann Lee"}
    assert "a trusted signature of Ann Lee (key " in result.anchored


def test_another_key_than_the_signers_breaks_it(signed_evidence: Path, stranger: Any) -> None:
    result = verify(signed_evidence, trust=[stranger.public])
    assert result.verdict == "broken"
    assert "no signature over the statement by a trusted key" in told(result)
    assert stranger.signer.keyid[:8] in told(result)


def test_one_of_several_trusted_keys_is_enough(signed_evidence: Path, stranger: Any, lab: Any) -> None:
    assert verify(signed_evidence, trust=[stranger.public, lab.public]).verdict == "authentic"


def test_a_folder_without_a_signature_breaks_where_one_is_asked_for(evidence: Path, lab: Any) -> None:
    result = verify(evidence, trust=[lab.public])
    assert result.verdict == "broken"
    assert "found no signature" in told(result)


def test_a_signature_over_a_custody_line_alone_is_none_over_the_statement(folder: Path, lab: Any) -> None:
    lab.hand_over(folder)
    assert verify(folder, trust=[lab.public]).verdict == "broken"


@pytest.mark.parametrize(
    ("options", "before", "verdict", "said"),
    [
        ('valid-after="20240101Z"', "", "authentic", ""),
        ('valid-before="20240302Z"', "", "authentic", ""),
        ('valid-after="20240302Z"', "", "broken", "is trusted from 2024-03-02"),
        ('valid-before="20240301120000Z"', "", "broken", "is trusted until 2024-03-01T12:00:00"),
        ('namespaces="git"', "", "refused", ""),
        ("", "@revoked ", "broken", "was revoked"),
    ],
)
def test_a_key_counts_in_its_period_and_never_when_it_was_revoked(
    signed_evidence: Path, lab: Any, tmp_path: Path, options: str, before: str, verdict: str, said: str
) -> None:
    signers = register(tmp_path / "signers", lab, options, before)
    if verdict == "refused":
        with pytest.raises(UsageError):
            verify(signed_evidence, trust=[signers])
        return
    result = verify(signed_evidence, trust=[signers])
    assert result.verdict == verdict
    assert said in told(result)


def test_several_signers_stand_side_by_side(signed: Path, stranger: Any, lab: Any) -> None:
    stranger.sign(signed, 40)
    result = verify(signed, trust=[lab.public])
    assert result.verdict == "authentic"
    verdicts = {each.keyid: each.verdict for each in result.signatures if each.path != "custody.jsonl"}
    assert verdicts == {lab.signer.keyid: "trusted", stranger.signer.keyid: "good"}
    assert "lines 0–7 are covered by a trusted signature" in result.anchored
    assert f"8–9 by a signature (key {stranger.signer.keyid[:8]}…), 10 by nothing" in result.anchored


def test_a_signature_without_its_key_holds_only_where_the_key_is_given(signed: Path, lab: Any) -> None:
    (signed / f"seal/{lab.signer.keyid}.pub.pem").unlink()
    result = verify(signed)
    assert {f"seal/{lab.signer.keyid}.sig", f"seal/{lab.signer.keyid}.pub.pem"} <= paths(result)
    result = verify(signed, trust=[lab.public])
    assert paths(result) == {f"seal/{lab.signer.keyid}.pub.pem"}  # the log names it, and it is gone
    assert {each.verdict for each in result.signatures} == {"trusted"}


def test_a_signed_line_whose_key_is_given_is_checked_by_it(folder: Path, lab: Any, stranger: Any) -> None:
    lab.hand_over(folder)
    (note,) = verify(folder).notes
    assert "the signature in line 6 cannot be checked" in note
    assert verify(folder).signatures[0].verdict == "unchecked"
    assert "lines 0–4 are covered by seal/statement.json alone" in verify(folder).anchored
    # Somebody with no key of that lab writes a signature of his own under its key id.
    lines = (folder / "custody.jsonl").read_bytes().splitlines()
    fields = json.loads(lines[6]) | {"sig": base64.b64encode(stranger.signer.sign(lines[5])).decode()}
    (folder / "custody.jsonl").write_bytes(b"\n".join([*lines[:6], _line(fields), b""]))
    assert "line 6 is no signature of line 5" in told(verify(folder, trust=[lab.public]))


def _line(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def test_a_file_in_the_seal_that_no_line_names_is_told_and_breaks_nothing(folder: Path, lab: Any) -> None:
    raw = seal_folder.read(folder, seal_folder.STATEMENT)
    seal_folder.write(folder, f"{lab.signer.keyid}.pub.pem", lab.signer.public.pem)
    seal_folder.write(folder, f"{lab.signer.keyid}.sig", lab.signer.sign(raw))
    result = verify(folder, trust=[lab.public])
    assert result.verdict == "authentic"
    assert [note.partition(":")[0] for note in result.notes] == [
        f"seal/{lab.signer.keyid}.pub.pem", f"seal/{lab.signer.keyid}.sig"
    ]  # fmt: skip


def test_the_statements_of_two_folders_cannot_be_exchanged(
    signed: Path, build_folder: Callable[..., Path], payload: dict[str, bytes], lab: Any
) -> None:
    other = build_folder(payload | {"data/scope.json": b"{} "})
    lab.sign(other)
    name = f"seal/{lab.signer.keyid}.sig"
    shutil.copy(other / name, signed / name)
    result = verify(signed, trust=[lab.public])
    assert result.verdict == "broken"
    assert name in paths(result)


# -- stamps ----------------------------------------------------------------------------------------------------------


def test_a_stamp_is_told_and_its_time_is_not_until_its_authority_is_accepted(
    stamped_evidence: Path, authority: Any
) -> None:
    result = verify(stamped_evidence)
    assert (result.verdict, result.problems, result.notes) == ("intact", (), ())
    (stamp,) = result.stamps
    assert (stamp.path, stamp.verdict, stamp.time) == ("seal/1.tsr", "unjudged", None)
    result = verify(stamped_evidence, tsa_ca=[authority.ca])
    (stamp,) = result.stamps
    assert (result.verdict, stamp.verdict) == ("intact", "accepted")
    assert stamp.time is not None
    assert stamp.time.startswith("20")
    assert stamp.covers == "the bag digest and lines 0–4 of custody.jsonl"


def test_an_accepted_stamp_covers_more_surely_than_a_signature_of_anybody(
    stamped_evidence: Path, authority: Any
) -> None:
    anchored = verify(stamped_evidence, tsa_ca=[authority.ca]).anchored
    assert anchored.startswith("lines 0–4 are covered by an accepted time stamp of 20")
    assert "5–9 by a signature (key " in anchored


def test_another_authority_breaks_it(stamped_evidence: Path, authority: Any) -> None:
    result = verify(stamped_evidence, tsa_ca=[authority.stranger_ca])
    assert result.verdict == "broken"
    assert "holds no time stamp that a given authority accepts" in told(result)
    assert result.stamps[0].time is None


def test_one_accepted_stamp_is_enough_and_the_other_is_told(stamped: Path, lab: Any, authority: Any) -> None:
    lab.stamp(stamped, lambda request: authority.stamp(request, "stranger"), minute=40)
    result = verify(stamped, tsa_ca=[authority.ca])
    assert (result.verdict, [each.verdict for each in result.stamps]) == ("intact", ["accepted", "not-accepted"])
    assert any(note.startswith("seal/2.tsr: no given authority accepts it") for note in result.notes)


def test_a_folder_without_a_stamp_breaks_where_one_is_asked_for(evidence: Path, authority: Any) -> None:
    assert "found no stamp" in told(verify(evidence, tsa_ca=[authority.ca]))


def test_what_is_no_certificate_is_a_mistake_in_the_call(evidence: Path, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("certificate")
    for path in (tmp_path / "ca.pem", tmp_path / "nowhere"):
        with pytest.raises(UsageError):
            verify(evidence, tsa_ca=[path])


def test_a_request_that_waits_for_its_response_is_told(folder: Path) -> None:
    from bagtag.custody import stamp

    raw = seal_folder.read(folder, seal_folder.STATEMENT)
    seal_folder.write(folder, "1.tsq", stamp.request(raw))
    CustodyLog.open(folder / "custody.jsonl").begin("stamped", actor="Ann Lee", note="request written")
    result = verify(folder)
    assert result.verdict == "intact"
    assert any("has no response yet" in note for note in result.notes)


def test_a_stamp_over_another_statement_is_a_problem_whoever_made_it(
    folder: Path, build_folder: Callable[..., Path], payload: dict[str, bytes], lab: Any, authority: Any
) -> None:
    other = build_folder(payload | {"data/scope.json": b"{} "})
    lab.stamp(other, authority.stamp)
    for name in ("1.tsq", "1.tsr"):
        shutil.copy(other / "seal" / name, folder / "seal" / name)
    assert {"seal/1.tsq", "seal/1.tsr"} <= paths(verify(folder))


def test_a_response_to_another_request_is_a_problem(folder: Path, lab: Any, authority: Any) -> None:
    from bagtag.custody import stamp

    raw = seal_folder.read(folder, seal_folder.STATEMENT)
    lab.stamp(folder, lambda _: authority.stamp(stamp.request(raw)))
    result = verify(folder, tsa_ca=[authority.ca])
    assert "seal/1.tsr: answers another request: the nonce differs" in told(result)


def test_a_stamp_older_than_the_sealing_is_remarked(
    build_folder: Callable[..., Path], lab: Any, authority: Any
) -> None:
    made = build_folder(day="2099-03-01")
    raw = seal_folder.read(made, seal_folder.STATEMENT)
    from bagtag.custody import stamp

    query = stamp.request(raw)
    seal_folder.write(made, "1.tsq", query)
    seal_folder.write(made, "1.tsr", authority.stamp(query))
    assert not any("clock was wrong" in note for note in verify(made).notes)  # nobody knows the time
    result = verify(made, tsa_ca=[authority.ca])
    assert result.verdict == "intact"
    assert any("the log dates the sealing 2099-03-01" in note for note in result.notes)


def test_certificates_beside_a_stamp_hold_nothing_else(folder: Path, lab: Any, authority: Any) -> None:
    lab.stamp(folder, authority.stamp, authority.ca_pem + b"and a word")
    assert "seal/1.chain.pem" in paths(verify(folder))


# -- copies of the log -----------------------------------------------------------------------------------------------


def copied(folder: Path, tmp_path: Path, lab: Any, *, event: Any = "copied", signed: bool = False) -> Path:
    """A copy of the folder's log that went another way after a line of that event."""
    log = lab.log(folder, 40)
    log.append(event, result="ok", actor="Ann Lee", note="copy 1, for Ben Roe")
    if signed:
        log.sign(lab.signer)
    theirs = Path(shutil.copy(folder / "custody.jsonl", tmp_path / "theirs.jsonl"))
    CustodyLog.open(theirs).append("received", result="ok", actor="Ben Roe")
    return theirs


@pytest.mark.parametrize("signed", [False, True])
def test_copies_that_part_where_a_copy_was_made_are_two_honest_logs(
    folder: Path, tmp_path: Path, lab: Any, signed: bool
) -> None:
    theirs = copied(folder, tmp_path, lab, signed=signed)
    lab.log(folder, 50).append("note", result="ok", actor="Ann Lee")
    result = verify(folder, other_log=theirs)
    assert result.verdict == "intact"
    assert any("a copy was made" in note for note in result.notes)


def test_copies_that_part_anywhere_else_are_a_problem(folder: Path, tmp_path: Path, lab: Any) -> None:
    theirs = copied(folder, tmp_path, lab, event="note")
    lab.log(folder, 50).append("note", result="ok", actor="Ann Lee")
    result = verify(folder, other_log=theirs)
    assert paths(result) == {"custody.jsonl"}
    assert "differs from the other copy from line 6 on" in told(result)


def test_a_log_that_ends_where_the_other_copy_goes_on_has_lost_lines(folder: Path, tmp_path: Path, lab: Any) -> None:
    theirs = copied(folder, tmp_path, lab)
    assert "was cut: the other copy goes on after line 5" in told(verify(folder, other_log=theirs))


def test_the_chain_of_the_tests_is_the_one_that_they_say(signed_evidence: Path) -> None:
    lines = (signed_evidence / "custody.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["event"] for line in lines[5:]] == ["stored", "signed", "transferred", "signed"]
    assert json.loads(lines[6])["of"] == digest(lines[5]) == hashlib.sha256(lines[5]).hexdigest()


# -- hostile sizes ---------------------------------------------------------------------------------------------------


def test_a_log_that_is_absurdly_long_is_named_and_not_held(
    signed_evidence: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bagtag.reports.bundle.checks.chains.MAX_LOG", 1000)
    result = verify(signed_evidence)
    assert {"custody.jsonl", "bag/custody.jsonl"} <= paths(result)
    assert "is longer than 1,000 bytes" in told(result)
    with pytest.raises(UsageError, match="longer than"):
        verify(signed_evidence, other_log=signed_evidence / "custody.jsonl")


@pytest.mark.parametrize("name", ["KEYID.sig", "KEYID.pub.pem", "1.tsq", "1.tsr", "1.chain.pem"])
def test_a_file_in_the_seal_that_is_absurdly_long_is_named(folder: Path, lab: Any, name: str) -> None:
    path = folder / "seal" / name.replace("KEYID", lab.signer.keyid)
    path.write_bytes(b"A" * (seal_folder.MAX_SIZE + 1))
    assert f"seal/{path.name}" in paths(verify(folder))
