"""Whom a lab lets sign: what a register says, what is wrong with one, and that OpenSSH reads ours and agrees."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bagtag.custody.allowed_signers import AllowedSigner, Trust, read, register_line
from bagtag.custody.errors import UsageError
from bagtag.custody.signer import PublicKey, Signer

# RFC 8032, section 7.1: the public keys of TEST 1, 2 and 3.
KEYS = [
    bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
    bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
    bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"),
]
SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")  # RFC 8410, section 10.1
NOON = "2024-03-01T12:00:00.000Z"
OTHER_KINDS = ["ssh-rsa", "ssh-dss", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com",
               "ssh-ed25519-cert-v01@openssh.com"]  # fmt: skip


def ssh(raw: bytes) -> str:
    """RFC 8709, section 4: the key as OpenSSH writes it, by hand."""
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + raw
    return "ssh-ed25519 " + base64.b64encode(blob).decode()


def keyid(raw: bytes) -> str:
    return hashlib.sha256(SPKI_PREFIX + raw).hexdigest()


ANN, BEN, EVE = (ssh(raw) for raw in KEYS)
ANN_ID, BEN_ID, EVE_ID = (keyid(raw) for raw in KEYS)


@pytest.fixture
def register(tmp_path: Path) -> Callable[..., Path]:
    """Write a register with these lines."""

    def write(*lines: str, encoding: str = "utf-8", newline: str = "\n") -> Path:
        path = tmp_path / "allowed_signers"
        path.write_bytes("".join(line + newline for line in lines).encode(encoding))
        return path

    return write


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """This computer stands in another time zone."""

    def move(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield move
    monkeypatch.undo()
    if hasattr(time, "tzset"):
        time.tzset()


def test_a_register_names_its_keys_with_several_names_and_periods(register: Callable[..., Path]) -> None:
    path = register(
        "# the lab's register",
        "",
        f"ann@lab.example {ANN} a comment of any kind",
        f'  ben@lab.example,"Ben Roe" valid-after="20240101Z",valid-before="20241231235959Z" {BEN}'.replace(
            'ben@lab.example,"Ben Roe"', '"ben@lab.example,Ben Roe"'
        ),
        f"@revoked eve {EVE}",
    )
    ann, ben, eve = read(path)
    assert ann == AllowedSigner(ann.key, ("ann@lab.example",))
    assert (ben.names, ben.valid_after, ben.valid_before, ben.revoked) == (
        ("ben@lab.example", "Ben Roe"), "2024-01-01T00:00:00.000Z", "2024-12-31T23:59:59.000Z", False,
    )  # fmt: skip
    assert (eve.names, eve.revoked) == (("eve",), True)
    assert [signer.key.keyid for signer in (ann, ben, eve)] == [ANN_ID, BEN_ID, EVE_ID]


@pytest.mark.parametrize("form", [{"newline": "\r\n"}, {"encoding": "utf-8-sig"}], ids=["CRLF", "byte order mark"])
def test_line_ends_and_marks_of_other_systems_make_no_difference(
    form: dict[str, str], register: Callable[..., Path]
) -> None:
    (signer,) = read(register(f"Jörg {ANN}", **form))
    assert (signer.names, signer.key.keyid) == (("Jörg",), ANN_ID)


def test_a_public_key_in_pem_is_one_trusted_key_without_a_name(tmp_path: Path) -> None:
    signer = Signer.create(tmp_path / "lab.key", "p")
    for name, raw in (("unix", signer.public.pem), ("windows", signer.public.pem.replace(b"\n", b"\r\n"))):
        (tmp_path / name).write_bytes(raw)
        assert read(tmp_path / name) == (AllowedSigner(signer.public),)
    trust = Trust.of([tmp_path / "unix"])
    assert trust.judge(signer.keyid, None).trusted
    assert trust.judge(signer.keyid, None).why == "is a trusted key"
    assert trust.key(signer.keyid) == signer.public


def test_a_key_is_trusted_within_its_period_both_ends_included(register: Callable[..., Path]) -> None:
    line = f'ben valid-after="20240101Z",valid-before="20241231235959Z" {BEN}'
    trust = Trust.of([register(line)])
    verdicts = {
        "2023-12-31T23:59:59.999Z": False,
        "2024-01-01T00:00:00.000Z": True,
        "2024-01-01T00:00:00Z": True,
        "2024-12-31T23:59:59.000Z": True,
        "2024-12-31T23:59:59.001Z": False,
    }
    for at, trusted in verdicts.items():
        judgement = trust.judge(BEN_ID, at)
        assert (judgement.trusted, judgement.known, judgement.name) == (trusted, True, "ben")
        assert judgement.why == (
            "is valid as ben" if trusted else "is trusted from 2024-01-01T00:00:00.000Z on and until "
            f"2024-12-31T23:59:59.000Z, the signature is dated {at}"
        )  # fmt: skip


def test_a_period_trusts_nothing_that_has_no_date(register: Callable[..., Path]) -> None:
    trust = Trust.of([register(f'ben valid-after="20240101Z" {BEN}', f"ann {ANN}")])
    assert trust.judge(ANN_ID, None).trusted
    assert not trust.judge(BEN_ID, None).trusted
    assert "nothing says when" in trust.judge(BEN_ID, None).why
    # A custody line's pattern lets such a date through.
    assert not trust.judge(BEN_ID, "2024-99-99T99:99:99.000Z").trusted


def test_a_revoked_key_is_not_trusted_whatever_else_is_said_of_it_and_wherever(tmp_path: Path) -> None:
    (tmp_path / "old").write_text(f"eve {EVE}\n")
    (tmp_path / "new").write_text(f"@revoked * {EVE}\nann {ANN}\n")
    assert Trust.of([tmp_path / "old"]).judge(EVE_ID, NOON).trusted
    for order in (["old", "new"], ["new", "old"]):
        judgement = Trust.of([tmp_path / name for name in order]).judge(EVE_ID, NOON)
        assert not judgement.trusted
        assert judgement.known
        assert "was revoked" in judgement.why


def test_a_key_nobody_named_is_unknown(register: Callable[..., Path]) -> None:
    judgement = Trust.of([register(f"ann {ANN}")]).judge(BEN_ID, NOON)
    assert (judgement.trusted, judgement.known, judgement.name) == (False, False, None)
    assert judgement.why == "is not among the trusted keys"
    assert not Trust().judge(ANN_ID, NOON).known


def test_a_key_with_two_periods_is_trusted_in_each_and_named_as_there(register: Callable[..., Path]) -> None:
    trust = Trust.of([register(f'trainee valid-before="20240101Z" {ANN}', f'examiner valid-after="20240201Z" {ANN}')])
    assert trust.judge(ANN_ID, "2023-06-01T00:00:00.000Z").name == "trainee"
    assert trust.judge(ANN_ID, "2024-06-01T00:00:00.000Z").name == "examiner"
    between = trust.judge(ANN_ID, "2024-01-15T00:00:00.000Z")
    assert not between.trusted
    assert "until 2024-01-01" in between.why
    assert "from 2024-02-01" in between.why


def test_a_line_for_other_programs_alone_is_passed_by(register: Callable[..., Path]) -> None:
    path = register(
        f'ann namespaces="git" {ANN}', f'ben namespaces="git,bagtag" {BEN}', f'eve namespaces="*,!bagtag" {EVE}'
    )
    assert [signer.names for signer in read(path)] == [("ben",)]
    with pytest.raises(UsageError, match="names no key"):
        read(register(f'ann namespaces="git" {ANN}'))


@pytest.mark.parametrize("options", ["", 'namespaces="git"', 'valid-after="20240101Z"'])
def test_a_revocation_counts_for_every_program_and_every_time_or_is_refused(
    options: str, register: Callable[..., Path]
) -> None:
    path = register(f"@revoked eve {options} {EVE}".replace("  ", " "))
    if options:
        with pytest.raises(UsageError, match="line 1: a revocation has no options"):
            read(path)
    else:
        assert [signer.revoked for signer in read(path)] == [True]


def test_a_time_without_z_is_in_this_computers_zone(register: Callable[..., Path], zone: Callable[[str], None]) -> None:
    if not hasattr(time, "tzset"):
        pytest.skip("this system cannot change the zone of a process")
    zone("Europe/Berlin")
    (signer,) = read(register(f'ann valid-after="20240101",valid-before="202407010830" {ANN}'))
    assert (signer.valid_after, signer.valid_before) == ("2023-12-31T23:00:00.000Z", "2024-07-01T06:30:00.000Z")


WRONG = {
    ANN: "name of its holder is missing",
    "ann": "holds no key",
    "ann ssh-ed25519": "holds no ssh-ed25519 key",
    f"ann {ANN[:-8]}": "holds no ssh-ed25519 key",
    f"ann {ANN[:-1]}*": "holds no ssh-ed25519 key",
    f"ann {ssh(KEYS[0] + b'x')}": "holds no ssh-ed25519 key",
    f"ann nonsense {ANN}": "nonsense is not known",
    f"ann cert-authority {ANN}": "certify others",
    f'ann valid-after="20240101Z" , {ANN}': "no kind of key",
    f'ann valid-after="20240101Z",,valid-before="20250101Z" {ANN}': "cannot read the options",
    f'ann valid-after="20240101Z", {ANN}': "end with a comma",
    f"ann valid-after=20240101Z {ANN}": "cannot read the options",
    f"ann valid-after {ANN}": "needs a value",
    f'ann valid-after="" {ANN}': "needs a value",
    f'ann valid-after="tomorrow" {ANN}': "'tomorrow' is no time",
    f'ann valid-after="20240230Z" {ANN}': "is no time",
    f'ann valid-after="2024010112Z" {ANN}': "is no time",
    f'ann valid-after="20240101Z",valid-after="20250101Z" {ANN}': "given twice",
    f'ann valid-after="20240101Z",valid-before="20240101Z" {ANN}': "never valid",
    f'ann valid-after="20240101Z {ANN}': "quotation mark is not closed",
    f'"ann {ANN}': "quotation mark is not closed",
    f"ann,,ben {ANN}": "name is empty",
    f"!ann {ANN}": "names nobody",
    f"@cert-authority ann {ANN}": "@cert-authority is not known",
    f"@revoked {ANN}": "name of its holder is missing",
    f"ann\x1b[2J {ANN}": "cannot be printed",
    **{f"ann {kind} AAAAB3NzaC1yc2EA": f"kind {kind}" for kind in OTHER_KINDS},
}


@pytest.mark.parametrize("line", WRONG, ids=list(WRONG.values()))
def test_a_malformed_line_is_named_with_its_number_and_what_is_wrong(line: str, register: Callable[..., Path]) -> None:
    with pytest.raises(UsageError, match=f"allowed_signers, line 3: .*{WRONG[line]}") as refused:
        read(register(f"ann {ANN}", "# fine", line))
    assert refused.value.hint


def test_what_is_no_register_at_all_is_refused(tmp_path: Path) -> None:
    pem = Signer.create(tmp_path / "key", "p").public.pem
    for content, why in (
        (b"", "names no key"),
        (b"# nothing but a comment\n", "names no key"),
        (b"fine\nann \xff\xfe\n", "line 2: is no UTF-8"),
        ((tmp_path / "key").read_bytes(), "is a private key"),
        (pem + pem, "several keys"),
        (pem[:-30], "no public key"),
        (b"#" * ((1 << 20) + 1), "larger than"),
    ):
        (tmp_path / "given").write_bytes(content)
        with pytest.raises(UsageError, match=why):
            read(tmp_path / "given")
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path / "absent")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path / "folder")


def test_the_line_of_a_new_key_is_read_back_as_it_was_meant(register: Callable[..., Path], tmp_path: Path) -> None:
    key = Signer.create(tmp_path / "key", "p").public
    for names in (["Ann Lee"], ["ann@lab.example"], ["ann", "Ann Lee"], ["#1"], ["@ann"], ["Jörg Öß"], ["ssh-keys"]):
        line = register_line(names, key)
        assert read(register(line)) == (AllowedSigner(key, tuple(names)),)
    for name in ("", " ", "Lee, Ann", 'Ann "A" Lee', "*", "a?", "!ann", "a\nb", "a\x1bb", "a\\b"):
        with pytest.raises(UsageError, match="cannot stand"):
            register_line([name], key)


# -- OpenSSH as the judge --------------------------------------------------------------------------------------------


class OpenSsh:
    """A key that ssh-keygen made, what it signed, and what ssh-keygen thinks of a register."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._run("-t", "ed25519", "-q", "-N", "", "-C", "made by OpenSSH", "-f", "key")
        (folder / "content").write_bytes(b"what is signed")
        self._run("-Y", "sign", "-n", "bagtag", "-f", "key", "content")
        self.public = (folder / "key.pub").read_text().strip()
        self.keyid = keyid(base64.b64decode(self.public.split()[1])[-32:])

    def accepts(self, register: Path, name: str, at: str) -> bool:
        """Whether the signature is good for `name` by that register at a time YYYYMMDDHHMMSSZ."""
        done = self._run("-Y", "verify", "-f", register, "-I", name, "-n", "bagtag", "-s", "content.sig",
                         "-O", f"verify-time={at}", check=False)  # fmt: skip
        assert done.returncode in {0, 255}, done.stderr
        return done.returncode == 0

    def _run(self, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["ssh-keygen", *map(str, arguments)], cwd=self.folder, check=check, capture_output=True,
            input=b"what is signed", env={**os.environ, "TZ": "UTC"},
        )  # fmt: skip


@pytest.fixture
def openssh(tmp_path: Path) -> OpenSsh:
    (tmp_path / "ssh").mkdir()
    return OpenSsh(tmp_path / "ssh")


REGISTERS = [
    "NAME KEY",
    '"ann@lab.example,NAME" KEY',
    'NAME namespaces="bagtag" KEY',
    'NAME namespaces="git,bag*" KEY',
    'NAME namespaces="git" KEY',
    'NAME namespaces="*,!bagtag" KEY',
    'NAME NAMESPACES="bagtag",Valid-After="20240101Z" KEY',
    'NAME valid-after="20240101Z" KEY',
    'NAME valid-before="20240301120000Z" KEY',
    'NAME valid-after="20240301120000Z" KEY',
    'NAME valid-after="202403011200utc" KEY',
    'NAME valid-before="20240101Z" KEY',
    'NAME valid-after="20240101Z",valid-before="20240701Z" KEY',
    'NAME valid-before="20240101Z" KEY\nNAME valid-after="20240301Z" KEY',
    '\t"NAME"\tvalid-after="20240101Z"\tKEY',
]


@pytest.mark.program("ssh-keygen")
@pytest.mark.parametrize("form", REGISTERS)
def test_openssh_judges_a_register_as_bagtag_does(form: str, openssh: OpenSsh, register: Callable[..., Path]) -> None:
    path = register(form.replace("NAME", "Ann").replace("KEY", openssh.public))
    verdicts = []
    for at, compact in (
        ("2023-06-01T00:00:00Z", "20230601000000Z"), ("2024-02-01T00:00:00Z", "20240201000000Z"),
        ("2024-03-01T11:59:59Z", "20240301115959Z"), ("2024-03-01T12:00:00Z", "20240301120000Z"),
        ("2024-03-01T12:00:01Z", "20240301120001Z"), ("2025-01-01T00:00:00Z", "20250101000000Z"),
    ):  # fmt: skip
        try:
            ours = Trust.of([path]).judge(openssh.keyid, at).trusted
        except UsageError:
            ours = False  # a register that lets nobody sign for bagtag is refused as a whole
        verdicts.append((at, ours, openssh.accepts(path, "Ann", compact)))
    assert [(at, ours) for at, ours, _ in verdicts] == [(at, theirs) for at, _, theirs in verdicts]


@pytest.mark.program("ssh-keygen")
def test_openssh_reads_the_line_of_a_new_key(openssh: OpenSsh, register: Callable[..., Path], tmp_path: Path) -> None:
    (signer,) = read(register(f"x {openssh.public}"))
    for name in ("Ann Lee", "ann@lab.example", "#1", "Jörg"):
        path = register(register_line([name], signer.key))
        assert openssh.accepts(path, name, "20240301120000Z")
        assert not openssh.accepts(path, "somebody else", "20240301120000Z")


@pytest.mark.program("ssh-keygen")
@pytest.mark.parametrize(
    "line",
    ["Ann", "Ann nonsense KEY", 'Ann valid-after="tomorrow" KEY', "Ann valid-after=20240101Z KEY",
     'Ann valid-after="20240101Z",valid-after="20240101Z" KEY',
     'Ann valid-after="20250101Z",valid-before="20240101Z" KEY', '"Ann KEY', "KEY"],
)  # fmt: skip
def test_what_bagtag_refuses_openssh_does_not_accept(
    line: str, openssh: OpenSsh, register: Callable[..., Path]
) -> None:
    path = register(line.replace("KEY", openssh.public))
    with pytest.raises(UsageError):
        read(path)
    assert not openssh.accepts(path, "Ann", "20240301120000Z")


def test_the_key_id_is_the_one_of_the_seal_folder(register: Callable[..., Path]) -> None:
    (signer,) = read(register(f"ann {ANN}"))
    assert PublicKey.from_pem(signer.key.pem) == signer.key
