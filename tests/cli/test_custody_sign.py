"""`bagtag custody sign`: several people vouch for one log, and openssl can check each of them."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody import chain
from bagtag.custody.log import CustodyLog
from bagtag.custody.signer import Signer

PASSPHRASE = "a long passphrase of the lab"


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_bytes().splitlines()]


def public(key: Path) -> Any:
    return Signer.load(key, PASSPHRASE).public


def test_the_key_goes_into_the_seal_folder_and_the_line_that_says_so_names_the_signer(
    bagtag: Any, sealed: Path, signing_key: Callable[[str], Path]
) -> None:
    key = signing_key("ann")
    assert bagtag("custody", "sign", sealed, "--sign-key", key, "--signer", "Ann Lee").code == 0
    stored, signed = lines(sealed / "custody.jsonl")[3:]
    name = f"seal/{public(key).keyid}.pub.pem"
    assert (stored["event"], stored["actor"], [item["name"] for item in stored["outputs"]]) == (
        "stored", "Ann Lee", [name],
    )  # fmt: skip
    assert (sealed / name).read_bytes() == public(key).pem
    assert (signed["event"], signed["keyid"], signed["of"]) == ("signed", public(key).keyid, signed["prev"])


def test_the_same_signer_again_is_one_line_and_another_gets_lines_of_his_own(
    bagtag: Any, sealed: Path, signing_key: Callable[[str], Path]
) -> None:
    ann, cy = signing_key("ann"), signing_key("cy")
    for key, name in ((ann, "Ann Lee"), (ann, "Ann Lee"), (cy, "Cy Poe")):
        assert bagtag("custody", "sign", sealed, "--sign-key", key, "--signer", name).code == 0
    assert bagtag("custody", "sign", sealed, "--sign-key", ann).code == 0
    events = [line["event"] for line in lines(sealed / "custody.jsonl")[3:]]
    assert events == ["stored", "signed", "signed", "stored", "signed", "signed"]
    assert bagtag("custody", "verify", sealed).code == 0


def test_another_name_for_a_known_key_is_put_on_record(
    bagtag: Any, sealed: Path, signing_key: Callable[[str], Path]
) -> None:
    key = signing_key("ann")
    bagtag("custody", "sign", sealed, "--sign-key", key, "--signer", "Ann Lee")
    bagtag("custody", "sign", sealed, "--sign-key", key, "--signer", "Ann Smith")
    note, signed = lines(sealed / "custody.jsonl")[5:]
    assert (note["event"], note["actor"]) == ("note", "Ann Smith")
    assert note["note"] == f"Ann Smith signs with the key {public(key).keyid}"
    assert signed["event"] == "signed"


def test_a_killed_run_that_left_the_key_alone_is_made_good(
    bagtag: Any, sealed: Path, signing_key: Callable[[str], Path]
) -> None:
    key = signing_key("ann")
    (sealed / "seal").mkdir()
    (sealed / f"seal/{public(key).keyid}.pub.pem").write_bytes(public(key).pem)
    bagtag("custody", "sign", sealed, "--sign-key", key, "--signer", "Ann Lee")
    assert lines(sealed / "custody.jsonl")[3]["outputs"][0]["name"] == f"seal/{public(key).keyid}.pub.pem"


def test_a_torn_line_is_closed_first(bagtag: Any, sealed: Path, signing_key: Callable[[str], Path]) -> None:
    key = signing_key("ann")
    bagtag("custody", "sign", sealed, "--sign-key", key, "--signer", "Ann Lee")
    log = sealed / "custody.jsonl"
    log.write_bytes(log.read_bytes() + b'{"seq":5,"ev')
    assert bagtag("custody", "sign", sealed, "--sign-key", key).code == 0
    assert chain.problems(log) == []
    assert [json.loads(line)["event"] for line in log.read_bytes().splitlines()[6:]] == ["error", "note", "signed"]


def test_another_file_under_the_keys_name_is_neither_taken_nor_written_over(
    bagtag: Any, sealed: Path, signing_key: Callable[[str], Path]
) -> None:
    ann, eve = signing_key("ann"), signing_key("eve")
    (sealed / "seal").mkdir()
    place = sealed / f"seal/{public(ann).keyid}.pub.pem"
    before = (sealed / "custody.jsonl").read_bytes()
    for content in (public(eve).pem, public(ann).pem + b"\n", b""):
        place.write_bytes(content)
        ran = bagtag("custody", "sign", sealed, "--sign-key", ann)
        assert (ran.code, "is not the key whose name it bears" in ran.err) == (4, True)
        assert place.read_bytes() == content
    place.unlink()
    place.symlink_to(ann)
    assert bagtag("custody", "sign", sealed, "--sign-key", ann).code == 4
    assert (sealed / "custody.jsonl").read_bytes() == before


def test_a_broken_log_is_not_signed(bagtag: Any, sealed: Path, signing_key: Callable[[str], Path]) -> None:
    log = sealed / "custody.jsonl"
    log.write_bytes(log.read_bytes().replace(b"a backup on a disk", b"a backup on a tape"))
    before = log.read_bytes()
    ran = bagtag("custody", "sign", sealed, "--sign-key", signing_key("ann"))
    assert (ran.code, log.read_bytes()) == (4, before)
    assert not (sealed / "seal").exists()


def test_where_the_folder_is_read_only_the_log_elsewhere_is_signed(
    bagtag: Any, sealed: Path, signing_key: Callable[[str], Path], tmp_path: Path
) -> None:
    key = signing_key("ann")
    before = {path: path.read_bytes() for path in sealed.rglob("*") if path.is_file()}
    log = tmp_path / "on.jsonl"
    assert bagtag("custody", "sign", sealed, "--sign-key", key, "--log", log).code == 0
    assert bagtag("custody", "sign", sealed, "--sign-key", key, "--signer", "Ann Lee", "--log", log).code == 0
    assert [line["event"] for line in lines(log)[3:]] == ["signed", "note", "signed"]
    assert {path: path.read_bytes() for path in sealed.rglob("*") if path.is_file()} == before
    assert CustodyLog.open(log).open_intents() == []


def test_json_gives_the_line(bagtag: Any, sealed: Path, signing_key: Callable[[str], Path]) -> None:
    key = signing_key("ann")
    (first,) = bagtag("custody", "sign", sealed, "--sign-key", key, "--json").rows
    (second,) = bagtag("custody", "sign", sealed, "--sign-key", key, "--json").rows
    assert first["keyid"] == second["keyid"] == public(key).keyid
    assert first["line"] == lines(sealed / "custody.jsonl")[3]
    assert second["line"] == lines(sealed / "custody.jsonl")[5]


def test_the_secrets_stand_nowhere_under_the_folder(
    bagtag: Any, sealed: Path, signing_key: Callable[[str], Path]
) -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = signing_key("ann")
    opened: Any = load_pem_private_key(key.read_bytes(), PASSPHRASE.encode())
    bagtag("custody", "sign", sealed, "--sign-key", key, "--signer", "Ann Lee")
    bagtag("custody", "transfer", sealed, "--to", "Ben", "--sign-key", key)
    for secret in (PASSPHRASE.encode(), opened.private_bytes_raw()):
        forms = (secret, secret.hex().encode(), base64.b64encode(secret).rstrip(b"=")[:-1])
        for path in sealed.rglob("*"):
            if path.is_file():
                assert not any(form in path.read_bytes() for form in forms), path


@pytest.mark.program("openssl")
def test_openssl_checks_a_signed_line_with_the_key_in_the_seal_folder(
    bagtag: Any, sealed: Path, signing_key: Callable[[str], Path], tmp_path: Path
) -> None:
    key = signing_key("ann")
    bagtag("custody", "sign", sealed, "--sign-key", key)
    raw = (sealed / "custody.jsonl").read_bytes().splitlines()
    signed = json.loads(raw[-1])
    (tmp_path / "line").write_bytes(raw[-2])
    (tmp_path / "sig").write_bytes(base64.b64decode(signed["sig"]))
    key_file = str(sealed / f"seal/{signed['keyid']}.pub.pem")
    command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", key_file,
               "-in", str(tmp_path / "line"), "-sigfile", str(tmp_path / "sig")]  # fmt: skip
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    (tmp_path / "line").write_bytes(raw[-2] + b" ")
    assert subprocess.run(command, check=False, capture_output=True).returncode != 0
