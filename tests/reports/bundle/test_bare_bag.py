"""Bags that are no evidence folders: what RFC 8493 (and the drafts before it) call valid, and what they do not.

Each case is written from the RFC. `stock` is what bagit-python says of the same bag: where it is another verdict, the
comment says why.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bagit
import pytest

from bagtag.cli.main import main
from bagtag.custody.errors import EvidenceError, UsageError
from bagtag.reports.bundle.bare_bag import examine
from bagtag.reports.bundle.verify import verify

HELLO = b"hello\n"
PAYLOAD = {"data/hello.txt": HELLO, "data/sub/empty": b""}
NFC, NFD = (unicodedata.normalize(form, "data/Núñez") for form in ("NFC", "NFD"))
Files = dict[str, bytes]


def bag(
    payload: Mapping[str, bytes] = PAYLOAD,
    *,
    version: str = "1.0",
    encoding: str = "UTF-8",
    algorithms: tuple[str, ...] = ("sha256",),
    tags: bool = True,
    info: str | None = "Contact-Name: Ann Lee\n",
    end: str = "\n",
    listed: Mapping[str, str] | None = None,
) -> Files:
    """The files of a bag. `listed` gives paths another spelling in the manifests."""
    made: Files = dict(payload)
    made["bagit.txt"] = f"BagIt-Version: {version}{end}Tag-File-Character-Encoding: {encoding}{end}".encode()
    if info is not None:
        name = "bag-info.txt" if version in {"1.0", "0.97", "0.96"} else "package-info.txt"
        made[name] = info.replace("\n", end).encode(encoding)
    for algorithm in algorithms:
        made[f"manifest-{algorithm}.txt"] = manifest(algorithm, payload, encoding, end, listed or {})
    if tags:
        below = {name: raw for name, raw in made.items() if not name.startswith("data/")}
        for algorithm in algorithms:
            made[f"tagmanifest-{algorithm}.txt"] = manifest(algorithm, below, encoding, end, {})
    return made


def manifest(algorithm: str, files: Mapping[str, bytes], encoding: str, end: str, listed: Mapping[str, str]) -> bytes:
    lines = [f"{hashlib.new(algorithm, raw).hexdigest()}  {listed.get(name, name)}" for name, raw in files.items()]
    return "".join(line + end for line in lines).encode(encoding)


def edited(files: Files, name: str, change: Callable[[bytes], bytes]) -> Files:
    return files | {name: change(files[name])}


def without(files: Files, *names: str) -> Files:
    return {name: raw for name, raw in files.items() if name not in names}


def digest(raw: bytes, algorithm: str = "sha256") -> str:
    return hashlib.new(algorithm, raw).hexdigest()


@dataclass(frozen=True)
class Case:
    """`named`: where the problem is, for an invalid one. `noted`: what must be remarked of a valid one."""

    name: str
    files: Files
    named: str | None = None
    stock: bool | None = None
    noted: str = ""
    folders: tuple[str, ...] = field(default=())

    @property
    def valid(self) -> bool:
        return self.named is None


LINE = f"{digest(HELLO)}  data/hello.txt\n".encode()

CASES = [
    # -- valid: section 2.1, 2.2, 5.3 -------------------------------------------------------------------------------
    Case("the smallest bag", bag({"data/a": b"x"}, tags=False, info=None)),
    Case("a bag with label and tag manifest", bag()),
    Case("an empty payload", bag({}), folders=("data",)),
    Case("every algorithm of the RFC", bag(algorithms=("md5", "sha1", "sha256", "sha512"))),
    Case("sha224 and sha384", bag(algorithms=("sha224", "sha384"))),
    *(Case(f"version {version}", bag(version=version)) for version in ("0.93", "0.94", "0.95", "0.96", "0.97")),
    Case("carriage returns and line feeds", bag(end="\r\n")),
    Case("carriage returns", bag(end="\r")),
    Case("tag files in UTF-16", bag({"data/ä": b"x"}, encoding="UTF-16BE")),
    Case("tag files in Latin-1", bag({"data/ä": b"x"}, encoding="ISO-8859-1")),
    Case("a label more than once", bag(info="Contact-Name: Ann Lee\nContact-Name: Ben Roe\n")),
    Case("a value over several lines", bag(info="External-Description: a bag\n  of some\n\tthings\n")),
    Case("the right Payload-Oxum", bag(info="Payload-Oxum: 6.2\n")),
    Case("digests in capitals", edited(bag(tags=False), "manifest-sha256.txt",
         lambda raw: b"".join(line[:64].upper() + line[64:] for line in raw.splitlines(keepends=True)))),
    Case("tabs and many spaces before the path", edited(bag(tags=False), "manifest-sha256.txt",
         lambda raw: raw.replace(b"  ", b" \t  "))),
    Case("no newline at the end", edited(bag(tags=False), "manifest-sha256.txt", lambda raw: raw[:-1])),
    Case("spaces in names", bag({"data/a b  c.txt": b"x"})),
    Case("encoded line ends and per cent sign", bag(
         {"data/a\nb": b"x", "data/a\rb": b"y", "data/100%": b"z"},
         listed={"data/a\nb": "data/a%0Ab", "data/a\rb": "data/a%0Db", "data/100%": "data/100%25"}),
         stock=False),  # bagit-python decodes no %25
    Case("a bare per cent sign before 1.0", bag({"data/100%": b"z", "data/1%25": b"y"}, version="0.97")),
    Case("a bag in a bag", bag({f"data/{name}": raw for name, raw in bag().items()})),
    Case("a tag file and a tag folder that are listed", bag() | {"notes/a.txt": b"n"} | {"tagmanifest-sha256.txt":
         bag()["tagmanifest-sha256.txt"] + f"{digest(b'n')}  notes/a.txt\n".encode()}),
    Case("a tag file that is not listed", bag() | {"notes.txt": b"n"}, noted="no tag manifest lists it"),
    Case("a manifest by an unknown digest beside a known one", bag() | {"manifest-crc32.txt": b"00  data/a\n"},
         noted="is not known here"),
    Case("one file in one of two manifests before 1.0", bag(version="0.97", algorithms=("md5",), tags=False)
         | {"manifest-sha1.txt": f"{digest(HELLO, 'sha1')}  data/hello.txt\n".encode()}),
    Case("a line twice before 1.0", edited(bag(version="0.97", tags=False), "manifest-sha256.txt",
         lambda raw: raw + LINE), noted="a second time"),
    Case("asterisks of md5sum", edited(bag(version="0.97", tags=False), "manifest-sha256.txt",
         lambda raw: raw.replace(b"  ", b" *")), noted="asterisk"),
    Case("./ before paths", edited(bag(version="0.97", tags=False), "manifest-sha256.txt",
         lambda raw: raw.replace(b"  ", b"  ./")), noted="./ before the path"),
    Case("a name that the file system composed anew", bag({NFD: b"x"}, listed={NFD: NFC}),
         noted="composed in another way"),
    # bagit-python looks for what a file system makes of a name, not for what a program made of it.
    Case("a name composed in another way", bag({NFC: b"x"}, listed={NFC: NFD}), noted="composed in another way",
         stock=False),
    Case("what was fetched", bag() | {"fetch.txt": b"https://example.org/hello 6 data/hello.txt\n"}),
    Case("what was fetched, of unknown length", bag() | {"fetch.txt": b"http://example.org/hello - data/hello.txt\n"}),
    # -- invalid: what makes a bag ----------------------------------------------------------------------------------
    Case("no payload folder", bag({}), "data"),
    Case("no manifest", without(bag(), "manifest-sha256.txt", "tagmanifest-sha256.txt"), "manifest-sha256.txt"),
    Case("an unknown version", bag(version="2.0"), "bagit.txt"),
    Case("a version that never was", bag(version="0.98"), "bagit.txt", stock=True),  # it knows everything below 2.0
    Case("no version", edited(bag(tags=False), "bagit.txt", lambda raw: raw.splitlines(keepends=True)[1]), "bagit.txt"),
    Case("no encoding", edited(bag(tags=False), "bagit.txt", lambda raw: raw.splitlines(keepends=True)[0]),
         "bagit.txt"),
    Case("an unknown encoding", edited(bag(tags=False), "bagit.txt", lambda raw: raw.replace(b"UTF-8", b"WTF-8")),
         "bagit.txt"),
    Case("the lines of bagit.txt in another order", edited(bag(tags=False), "bagit.txt",
         lambda raw: b"".join(raw.splitlines(keepends=True)[::-1])), "bagit.txt", stock=True),
    Case("a third line in bagit.txt", edited(bag(tags=False), "bagit.txt", lambda raw: raw + b"More: x\n"),
         "bagit.txt", stock=True),
    # Spaces round the colon: section 2.1.1 gives the two lines to the letter; bagit-python strips them.
    Case("a space before the colon", edited(bag(tags=False), "bagit.txt", lambda raw: raw.replace(b":", b" :")),
         "bagit.txt", stock=True),
    Case("spaces before the lines", edited(bag(tags=False), "bagit.txt", lambda raw: raw.replace(b"BagIt", b"  BagIt")),
         "bagit.txt", stock=True),
    Case("no space after the colon", edited(bag(tags=False), "bagit.txt", lambda raw: raw.replace(b": ", b":")),
         "bagit.txt", stock=True),
    Case("a byte-order mark", edited(bag(tags=False), "bagit.txt", lambda raw: b"\xef\xbb\xbf" + raw), "bagit.txt"),
    # -- invalid: complete ------------------------------------------------------------------------------------------
    Case("a file less", without(bag(), "data/hello.txt"), "data/hello.txt"),
    Case("a file more", bag() | {"data/more": b"x"}, "data/more"),
    Case("a file in one of two manifests since 1.0", edited(bag(algorithms=("md5", "sha256"), tags=False),
         "manifest-md5.txt", lambda raw: raw.splitlines(keepends=True)[0]), "data/sub/empty", stock=True),
    Case("a file that was not fetched", without(bag(), "data/hello.txt")
         | {"fetch.txt": b"https://example.org/hello 6 data/hello.txt\n"}, "data/hello.txt"),
    Case("a tag file less", without(bag(), "bag-info.txt"), "bag-info.txt"),
    Case("another spelling of a name", bag(listed={"data/hello.txt": "data/Hello.txt"}), "data/hello.txt"),
    # -- invalid: valid ---------------------------------------------------------------------------------------------
    Case("another byte in the payload", bag() | {"data/hello.txt": b"hallo\n"}, "data/hello.txt"),
    Case("another byte in the payload, seen by one of two digests", edited(
         bag(algorithms=("md5", "sha256"), tags=False), "manifest-md5.txt",
         lambda raw: raw.replace(raw[:4], b"0000", 1)), "data/hello.txt"),
    Case("another byte in a tag file", edited(bag(), "bag-info.txt", lambda raw: raw.replace(b"Ann", b"Bob")),
         "bag-info.txt"),
    Case("another byte in a manifest", edited(bag(), "manifest-sha256.txt", lambda raw: raw.replace(b"  ", b"   ")),
         "manifest-sha256.txt"),
    Case("another Payload-Oxum", bag(info="Payload-Oxum: 7.2\n"), "bag-info.txt"),
    Case("a Payload-Oxum that is none", bag(info="Payload-Oxum: 6-2\n"), "bag-info.txt"),
    # -- invalid: the form of manifests -----------------------------------------------------------------------------
    Case("a line twice since 1.0", edited(bag(tags=False), "manifest-sha256.txt", lambda raw: raw + LINE),
         "manifest-sha256.txt"),
    Case("two digests of one file", edited(bag(version="0.97", tags=False), "manifest-sha256.txt",
         lambda raw: raw + b"0" * 64 + b"  data/hello.txt\n"), "manifest-sha256.txt"),
    Case("a line without a path", edited(bag(tags=False), "manifest-sha256.txt", lambda raw: raw + b"0" * 64 + b"\n"),
         "manifest-sha256.txt", stock=True),
    Case("a digest of another length", edited(bag(tags=False), "manifest-sha256.txt", lambda raw: raw[2:]),
         "manifest-sha256.txt"),
    Case("no hexadecimal digits", edited(bag(tags=False), "manifest-sha256.txt", lambda raw: b"g" + raw[1:]),
         "manifest-sha256.txt"),
    *(Case(f"a path that leads out of the bag: {path}", bag(tags=False) | {"manifest-sha256.txt":
           bag()["manifest-sha256.txt"] + f"{digest(b'')}  {path}\n".encode()}, "manifest-sha256.txt")
      for path in ("../outside", "data/../../outside", "/etc/hostname", "~/outside", "~root/x")),
    Case("a path with ..", edited(bag(tags=False), "manifest-sha256.txt",
         lambda raw: raw.replace(b"data/hello.txt", b"data/sub/../hello.txt")), "manifest-sha256.txt", stock=True),
    Case("a tag file in the payload manifest", edited(bag(tags=False), "manifest-sha256.txt",
         lambda raw: raw + f"{digest(b'n')}  notes.txt\n".encode()) | {"notes.txt": b"n"}, "manifest-sha256.txt",
         stock=True),
    Case("a payload file in the tag manifest", edited(bag(), "tagmanifest-sha256.txt", lambda raw: raw + LINE),
         "tagmanifest-sha256.txt", stock=False),
    Case("a bare per cent sign since 1.0", bag({"data/100%": b"z"}), "manifest-sha256.txt", stock=True),
    Case("a manifest in another encoding", bag({"data/ä": b"x"}, encoding="ISO-8859-1", tags=False)
         | {"bagit.txt": bag()["bagit.txt"]}, "manifest-sha256.txt"),
    # -- invalid: labels and fetch.txt ------------------------------------------------------------------------------
    Case("a label without a colon", bag(info="Contact-Name Ann Lee\n"), "bag-info.txt"),
    Case("a space before a label's colon", bag(info="Contact-Name : Ann Lee\n"), "bag-info.txt", stock=True),
    Case("no space after a label's colon", bag(info="Contact-Name:Ann Lee\n"), "bag-info.txt", stock=True),
    Case("two values of Payload-Oxum", bag(info="Payload-Oxum: 6.2\nPayload-Oxum: 6.2\n"), "bag-info.txt", stock=True),
    Case("a fetch.txt without a length", bag() | {"fetch.txt": b"https://example.org/hello data/hello.txt\n"},
         "fetch.txt"),
    Case("a fetch.txt without a URL", bag() | {"fetch.txt": b"hello.txt 6 data/hello.txt\n"}, "fetch.txt"),
    Case("a fetch.txt that leads out of the bag", bag() | {"fetch.txt": b"https://example.org/ 6 ../hello.txt\n"},
         "fetch.txt"),
    Case("a fetch.txt with a file that no manifest lists", bag()
         | {"fetch.txt": b"https://example.org/x 6 data/other.txt\n"}, "fetch.txt", stock=True),
]  # fmt: skip


def write(case: Case, place: Path) -> Path:
    for name, raw in case.files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(raw)
    for name in case.folders:
        (place / name).mkdir(parents=True, exist_ok=True)
    return place


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bag_is_called_valid_exactly_when_the_format_says_so(
    case: Case, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = write(case, tmp_path / "bag")
    problems, notes = examine(folder)
    if case.valid:
        assert problems == []
        assert case.noted in "\n".join(notes)
    else:
        assert case.named in {problem.path for problem in problems}, problems
    assert main(["verify", str(folder)]) == (0 if case.valid else 4)
    said = capfd.readouterr().err
    assert "a bare bag, checked by RFC 8493 alone" in said
    assert case.noted in said  # what the format frowns on is said where a person looks, whatever the verdict


def _stock(folder: Path) -> bool:
    logging.disable(logging.CRITICAL)
    try:
        bagit.Bag(str(folder)).validate()
    except (bagit.BagError, ValueError, OSError, KeyError):
        return False
    finally:
        logging.disable(logging.NOTSET)
    return True


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bagit_python_says_the_same_but_where_we_know_why(case: Case, tmp_path: Path) -> None:
    assert _stock(write(case, tmp_path / "bag")) == (case.valid if case.stock is None else case.stock)


def test_what_bagit_python_makes_is_valid(tmp_path: Path) -> None:
    folder = tmp_path / "bag"
    folder.mkdir()
    (folder / "a b.txt").write_text("x")
    bagit.make_bag(str(folder), {"Contact-Name": "Ann Lee"}, checksums=["md5", "sha256", "sha512"])
    assert examine(folder) == ([], [])


def test_the_bag_of_an_evidence_folder_is_valid_by_itself(evidence: Path, tmp_path: Path) -> None:
    assert examine(Path(shutil.copytree(evidence / "bag", tmp_path / "alone"))) == ([], [])
    with pytest.raises(EvidenceError, match="is no evidence folder"):
        verify(evidence / "bag")  # where it lies in its folder, that is what should be checked


def test_a_bare_bag_is_said_to_be_one_and_is_never_authentic(tmp_path: Path, lab: Any) -> None:
    folder = write(Case("", bag()), tmp_path / "some-bag")
    result = verify(folder)
    assert result.verdict == "intact"
    assert "holds no custody log and no seal" in result.notes[0]
    assert result.bag_digest == digest((folder / "tagmanifest-sha256.txt").read_bytes())
    given: tuple[dict[str, Any], ...] = ({"expect": result.bag_digest}, {"trust": [lab.public]})
    for anchors in given:
        with pytest.raises(UsageError, match="is a bare bag"):
            verify(folder, **anchors)


def test_links_in_a_bag_are_named_and_never_followed(tmp_path: Path) -> None:
    folder = write(Case("", bag()), tmp_path / "bag")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/hello.txt").write_bytes(HELLO)
    (folder / "data/link").symlink_to(tmp_path / "outside/hello.txt")
    (folder / "data/hello.txt").unlink()
    (folder / "data/hello.txt").symlink_to(tmp_path / "outside/hello.txt")
    assert {"data/link", "data/hello.txt"} <= {problem.path for problem in examine(folder)[0]}
    shutil.rmtree(folder / "data")
    (folder / "data").symlink_to(tmp_path / "outside")
    assert "data" in {problem.path for problem in examine(folder)[0]}


def test_an_empty_folder_is_remarked(tmp_path: Path) -> None:
    folder = write(Case("", bag(), folders=("data/empty",)), tmp_path / "bag")
    assert examine(folder) == ([], ["data/empty: is an empty folder, which no manifest can list"])
