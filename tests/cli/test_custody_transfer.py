"""`bagtag custody transfer`: the releaser's line, the receiver's line, each signed on its own machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody import chain, signatures
from bagtag.custody.handover import Details, Handover, parse
from bagtag.custody.log import CustodyLog
from bagtag.custody.signer import PublicKey, Signer

PASSPHRASE = "a long passphrase of the lab"
TAGS = "tagmanifest-sha256.txt"
TRAVEL = ["--method", "courier", "--carrier", "DHL", "--tracking", "JD-1", "--container", "box; blue",
          "--seal-old", "17", "--seal-new", "18", "--condition", "intact"]  # fmt: skip


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_bytes().splitlines()]


def keyid(key: Path) -> str:
    return Signer.load(key, PASSPHRASE).keyid


def test_both_sides_write_and_sign_on_their_own_machine(
    bagtag: Any, sealed: Path, signing_key: Callable[[str], Path], tmp_path: Path
) -> None:
    ann, ben = signing_key("ann"), signing_key("ben")
    ran = bagtag(
        "custody", "transfer", sealed, "--from", "Ann Lee", "--to", "Ben Roe", *TRAVEL, "--reason", "trial",
        "--authority", "order 7", "--sign-key", ann,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "releases the evidence, and no line says that it came in" in bagtag("custody", "verify", sealed).out
    there = Path(shutil.move(sealed, tmp_path / "at-bens"))
    ran = bagtag(
        "custody", "transfer", there, "--received", "--actor", "Ben Roe", "--condition", "seal 18 whole",
        "--sign-key", ben,
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    released, signed, received, signed_too = lines(there / "custody.jsonl")[3:]
    assert (released["event"], released["result"], released["actor"]) == ("transferred", "begun", "Ann Lee")
    assert (released["reason"], released["authority"]) == ("trial", "order 7")
    assert parse(released["note"]) == Handover(
        "released", "Ann Lee", "Ben Roe", Details(
            method="courier", carrier="DHL", tracking="JD-1", container="box; blue", old_seal="17", new_seal="18",
            condition="intact",
        ),
    )  # fmt: skip
    assert (received["event"], received["result"], received["actor"]) == ("transferred", "ok", "Ben Roe")
    assert received["note"] == "received by Ben Roe from Ann Lee; condition seal 18 whole"
    assert [item["name"] for item in released["inputs"]] == [TAGS]
    assert released["inputs"] == received["inputs"]
    assert (signed["keyid"], signed_too["keyid"]) == (keyid(ann), keyid(ben))
    assert (signed["of"], signed_too["of"]) == (signed["prev"], signed_too["prev"])
    for line, key in ((released, ann), (received, ben)):
        (named,) = line["outputs"]
        assert named["name"] == f"seal/{keyid(key)}.pub.pem"
        assert PublicKey.from_pem((there / named["name"]).read_bytes()).keyid == keyid(key)
    ran = bagtag("custody", "verify", there)
    assert ran.code == 0
    assert "lines 0–5 are covered by the signature in line 6" in ran.out
    assert "no line says that it came in" not in ran.out


def test_a_key_that_the_log_names_already_is_not_named_again(
    bagtag: Any, sealed: Path, signing_key: Callable[[str], Path]
) -> None:
    ann = signing_key("ann")
    bagtag("custody", "sign", sealed, "--sign-key", ann, "--signer", "Ann Lee")
    assert bagtag("custody", "transfer", sealed, "--from", "Ann Lee", "--to", "Ben", "--sign-key", ann).code == 0
    assert lines(sealed / "custody.jsonl")[5]["outputs"] == []


def test_the_receiver_may_refuse(bagtag: Any, sealed: Path) -> None:
    bagtag("custody", "transfer", sealed, "--from", "Ann Lee", "--to", "Ben Roe")
    ran = bagtag("custody", "transfer", sealed, "--refused", "--actor", "Ben Roe", "--condition", "seal torn")
    assert ran.code == 0
    last = lines(sealed / "custody.jsonl")[-1]
    assert (last["result"], last["note"]) == ("failed", "not accepted by Ben Roe from Ann Lee; condition seal torn")
    assert CustodyLog.open(sealed / "custody.jsonl").open_intents() == []


def test_nobody_receives_what_nobody_released(bagtag: Any, sealed: Path) -> None:
    before = (sealed / "custody.jsonl").read_bytes()
    ran = bagtag("custody", "transfer", sealed, "--received", "--actor", "Ben Roe")
    assert (ran.code, "no transfer under way" in ran.err) == (2, True)
    bagtag("custody", "transfer", sealed, "--to", "Ben Roe")
    bagtag("custody", "transfer", sealed, "--received", "--actor", "Ben Roe")
    assert bagtag("custody", "transfer", sealed, "--received", "--actor", "Ben Roe").code == 2
    assert (sealed / "custody.jsonl").read_bytes().startswith(before)


def test_another_receiver_and_a_second_release_are_remarked_on(bagtag: Any, sealed: Path) -> None:
    bagtag("custody", "transfer", sealed, "--from", "Ann Lee", "--to", "Ben Roe")
    ran = bagtag("custody", "transfer", sealed, "--from", "Ann Lee", "--to", "Cy Poe")
    assert (ran.code, "line 3 released it already" in ran.err) == (0, True)
    ran = bagtag("custody", "transfer", sealed, "--received", "--actor", "Di Fox")
    assert (ran.code, "line 4 released it to Cy Poe, not to Di Fox" in ran.err) == (0, True)


@pytest.mark.parametrize(
    "arguments",
    [[], ["--from", "Ann"], ["--to", ""], ["--from", "Ann", "--to", "Ben", "--actor", "Eve"],
     ["--received", "--refused"], ["--received", "--to", "Ben"], ["--refused", "--from", "Ann"],
     ["--to", "Ben", "--condition", "a\nb"],
     ["--to", "Ben", "--method", " "]],
)  # fmt: skip
def test_a_wrong_call_writes_nothing(arguments: list[str], bagtag: Any, sealed: Path) -> None:
    before = (sealed / "custody.jsonl").read_bytes()
    assert bagtag("custody", "transfer", sealed, *arguments).code == 2
    assert (sealed / "custody.jsonl").read_bytes() == before


def test_another_bag_digest_than_the_logs_is_not_transferred_nor_signed_for(
    bagtag: Any, sealed: Path, signing_key: Callable[[str], Path]
) -> None:
    key = signing_key("ann")
    bagtag("custody", "transfer", sealed, "--from", "Ann Lee", "--to", "Ben Roe")
    before = (sealed / "custody.jsonl").read_bytes()
    (sealed / "bag" / TAGS).write_bytes(b"another")
    for side in (["--to", "Ben Roe"], ["--received"], ["--refused"]):
        ran = bagtag("custody", "transfer", sealed, *side, "--sign-key", key)
        assert (ran.code, "the log names" in ran.err) == (4, True)
    assert (sealed / "custody.jsonl").read_bytes() == before
    assert not (sealed / "seal").exists()


def test_a_wrong_passphrase_is_told_before_anything_is_written(
    bagtag: Any, sealed: Path, signing_key: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = signing_key("ann")
    monkeypatch.setenv("BAGTAG_SIGNER_PASSPHRASE", "not that one")
    before = (sealed / "custody.jsonl").read_bytes()
    assert bagtag("custody", "transfer", sealed, "--to", "Ben", "--sign-key", key).code == 6
    assert (sealed / "custody.jsonl").read_bytes() == before


def test_a_folder_on_a_disc_is_handed_over_by_a_log_elsewhere_and_not_touched(
    bagtag: Any, sealed: Path, signing_key: Callable[[str], Path], tmp_path: Path
) -> None:
    ann = signing_key("ann")
    before = {path: path.read_bytes() for path in sealed.rglob("*") if path.is_file()}
    log = tmp_path / "on.jsonl"
    for side in (["--from", "Ann Lee", "--to", "Ben Roe"], ["--received", "--actor", "Ben Roe"]):
        assert bagtag("custody", "transfer", sealed, *side, "--log", log, "--sign-key", ann).code == 0
    assert {path: path.read_bytes() for path in sealed.rglob("*") if path.is_file()} == before
    assert [line["event"] for line in lines(log)[3:]] == ["transferred", "signed"] * 2
    assert chain.problems(log) == []
    public = Signer.load(ann, PASSPHRASE).public
    assert sorted(signatures.examine(log, lambda keyid: public).good) == [4, 6]
