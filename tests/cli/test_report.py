"""`bagtag report`: the papers lie where they were asked for, and the custody log names their digests."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody import chain
from bagtag.custody.line import CustodyLine
from bagtag.custody.log import read

KINDS = ("certificate", "custody-form", "label")


def _last(log: Path) -> CustodyLine:
    line = list(read(log))[-1].line
    assert isinstance(line, CustodyLine)
    return line


@pytest.mark.parametrize("kind", KINDS)
def test_a_paper_is_html_and_pdf_and_a_line_of_the_log(kind: str, bagtag: Any, evidence: Path, tmp_path: Path) -> None:
    out = tmp_path / "papers"
    ran = bagtag("report", evidence, "--kind", kind, "--out", out, "--actor", "Ann Lee")
    assert ran.code == 0, ran.err
    assert sorted(path.name for path in out.iterdir()) == [f"{kind}.html", f"{kind}.pdf"]
    assert (out / f"{kind}.pdf").read_bytes().startswith(b"%PDF-")
    line = _last(evidence / "custody.jsonl")
    assert (line.event, line.result, line.actor) == ("exported", "ok", "Ann Lee")
    assert line.inputs[0].name == "tagmanifest-sha256.txt"
    written = {
        path.name: (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()) for path in out.iterdir()
    }
    assert {item.name: (item.size, item.sha256) for item in line.outputs} == written
    for _, sha256 in written.values():
        assert sha256 in ran.out
    assert chain.problems(evidence / "custody.jsonl") == []
    assert bagtag("verify", evidence).code == 0


def test_json_names_each_file_with_size_and_digest(bagtag: Any, evidence: Path, tmp_path: Path) -> None:
    rows = bagtag("report", evidence, "--kind", "label", "--out", tmp_path / "papers", "--json").rows
    assert [Path(row["path"]).name for row in rows] == ["label.html", "label.pdf"]
    for row in rows:
        content = Path(row["path"]).read_bytes()
        assert (row["size"], row["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_the_same_folder_gives_the_same_bytes(bagtag: Any, evidence: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(evidence, tmp_path / "copy")
    for dest, out in ((evidence, "one"), (copy, "two")):
        for kind in KINDS:
            # Each on the folder as it was: the line that one paper adds would be news to the next.
            fresh = shutil.copytree(dest, tmp_path / f"{out}-{kind}")
            assert bagtag("report", fresh, "--kind", kind, "--out", tmp_path / out).code == 0
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_the_label_is_the_same_when_it_is_printed_again(bagtag: Any, evidence: Path, tmp_path: Path) -> None:
    for out in ("one", "two"):
        assert bagtag("report", evidence, "--kind", "label", "--out", tmp_path / out).code == 0
    for name in ("label.html", "label.pdf"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_exhibits_are_hashed_into_the_certificate(bagtag: Any, evidence: Path, tmp_path: Path) -> None:
    exhibit = tmp_path / "thread <b>.pdf"
    exhibit.write_bytes(b"%PDF- an exhibit")
    out = tmp_path / "papers"
    assert bagtag("report", evidence, "--kind", "certificate", "--out", out, "--exhibit", exhibit).code == 0
    page = (out / "certificate.html").read_text("utf-8")
    assert hashlib.sha256(exhibit.read_bytes()).hexdigest() in page
    assert "thread &lt;b&gt;.pdf" in page


@pytest.mark.parametrize(
    "more",
    [
        ("--kind", "label", "--exhibit", "README.txt"),
        ("--kind", "certificate", "--exhibit", "no such file"),
        ("--kind", "label", "--sheet", "letter"),
        ("--kind", "certificate", "--sheet", "a6"),
        ("--kind", "certificate", "--tz", "Nowhere/Land"),
        ("--kind", "label", "--font-dir", "bag/data/source"),
        ("--kind", "poem"),
        ("--kind", "review"),
        ("--kind", "exhibit"),
        ("--kind", "technical"),
        ("--kind", "expert"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_made_ends_with_2_and_leaves_no_trace(
    more: tuple[str, ...], bagtag: Any, evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (evidence / "custody.jsonl").read_bytes()
    monkeypatch.chdir(evidence)
    ran = bagtag("report", evidence, "--out", tmp_path / "papers", *more)
    assert ran.code == 2
    assert "hint:" in ran.err
    assert not (tmp_path / "papers").exists()
    assert (evidence / "custody.jsonl").read_bytes() == before


@pytest.mark.parametrize("out", [".", "bag", "papers", "seal/../papers"])
def test_nothing_is_written_into_the_evidence_folder(out: str, bagtag: Any, evidence: Path) -> None:
    ran = bagtag("report", evidence, "--kind", "label", "--out", evidence / out)
    assert ran.code == 2
    assert "inside the evidence folder" in ran.err
    assert not list(evidence.rglob("label.*"))


def test_a_link_does_not_lead_into_the_evidence_folder(bagtag: Any, evidence: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(evidence, target_is_directory=True)
    assert bagtag("report", evidence, "--kind", "label", "--out", tmp_path / "link/papers").code == 2


def test_nothing_is_written_into_a_backup(bagtag: Any, demo: Path, evidence: Path) -> None:
    (backup,) = (path.parent for path in (demo / "backup").rglob("Manifest.plist"))
    assert bagtag("report", evidence, "--kind", "label", "--out", backup / "papers").code == 2
    assert not (backup / "papers").exists()


@pytest.mark.parametrize("there", ["label.html", "label.pdf"])
def test_a_file_that_exists_is_never_written_over(there: str, bagtag: Any, evidence: Path, tmp_path: Path) -> None:
    out = tmp_path / "papers"
    out.mkdir()
    (out / there).write_text("mine")
    ran = bagtag("report", evidence, "--kind", "label", "--out", out)
    assert ran.code == 2
    assert [path.name for path in out.iterdir()] == [there]
    assert (out / there).read_text() == "mine"


def test_a_broken_folder_is_refused_and_verify_recommended(bagtag: Any, evidence: Path, tmp_path: Path) -> None:
    label = evidence / "bag/bag-info.txt"
    label.write_bytes(label.read_bytes().replace(b"demo", b"omed", 1))
    ran = bagtag("report", evidence, "--kind", "certificate", "--out", tmp_path / "papers")
    assert ran.code == 4
    assert "bagtag verify" in ran.err
    assert not (tmp_path / "papers").exists()


def test_a_folder_that_is_none_ends_with_3(bagtag: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert bagtag("report", tmp_path / "empty", "--kind", "label", "--out", tmp_path / "papers").code == 3


def test_a_read_only_folder_has_its_line_in_a_log_elsewhere(bagtag: Any, evidence: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in evidence.rglob("*") if path.is_file()}
    log = tmp_path / "log.jsonl"
    ran = bagtag("report", evidence, "--kind", "custody-form", "--out", tmp_path / "papers", "--log", log)
    assert ran.code == 0, ran.err
    assert {path: path.read_bytes() for path in evidence.rglob("*") if path.is_file()} == before
    assert log.read_bytes().startswith((evidence / "custody.jsonl").read_bytes())
    assert _last(log).event == "exported"


def test_without_pdf_there_is_the_page_alone(bagtag: Any, evidence: Path, tmp_path: Path) -> None:
    assert bagtag("report", evidence, "--kind", "label", "--out", tmp_path / "papers", "--no-pdf").code == 0
    assert [path.name for path in (tmp_path / "papers").iterdir()] == ["label.html"]


def test_times_are_shown_in_the_zone_that_was_asked_for(bagtag: Any, evidence: Path, tmp_path: Path) -> None:
    out = tmp_path / "papers"
    ran = bagtag("report", evidence, "--kind", "custody-form", "--out", out, "--tz", "Asia/Tokyo", "--no-pdf")
    assert ran.code == 0
    page = (out / "custody-form.html").read_text("utf-8")
    assert "All times: Asia/Tokyo" in page
    assert "+09:00" in page


def test_when_the_pdf_cannot_be_set_no_file_is_left_and_the_log_says_failed(
    bagtag: Any, evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bagtag.custody.errors import EvidenceError
    from bagtag.reports.paper import pdf_page

    def refuse(*_: object, **__: object) -> None:
        raise EvidenceError("given up", hint="--no-pdf")

    monkeypatch.setattr(pdf_page, "typeset", refuse)
    assert bagtag("report", evidence, "--kind", "label", "--out", tmp_path / "papers").code == 3
    assert not list(tmp_path.rglob("label.*"))
    line = _last(evidence / "custody.jsonl")
    assert (line.event, line.result, line.outputs) == ("exported", "failed", ())
