"""Conditions are exact: nothing is a wildcard but `*`, `?` and `[…]`, and nothing is folded or normalised."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.custody.errors import UsageError
from bagtag.extract.manifest import Manifest, file_id_of
from bagtag.extract.selection import Selection, belongs, matches_glob, read_ids

NFC, NFD = "caf\u00e9.txt", "cafe\u0301.txt"
DOMAINS = [
    "HomeDomain",
    "homedomain",
    "AppDomain-a_b",
    "AppDomain-aXb",
    "AppDomain-a%b",
    "AppDomain-a",
    "AppDomain-a.x",
]
PATHS = ["", "a.txt", "A.txt", "_.txt", "%.txt", "[1].txt", "x/y.txt", NFC, NFD, "new\nline", "*", "?", "\udcff.txt"]


def _made(path: Path, encoding: str = "UTF-8", paths: list[str] = PATHS) -> Manifest:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA encoding = '{encoding}'")
    connection.execute(
        "CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB)"
    )
    connection.execute("CREATE INDEX FilesDomainIdx ON Files (domain)")
    text = "CAST(? AS TEXT)" if encoding == "UTF-8" else "?"
    for domain in DOMAINS:
        for name in paths:
            value = name.encode("utf-8", "surrogateescape") if encoding == "UTF-8" else name
            connection.execute(
                f"INSERT INTO Files VALUES (?, ?, {text}, 1, x'00')", (file_id_of(domain, name), domain, value)
            )
    connection.execute("INSERT INTO Files VALUES ('x', NULL, NULL, 16, NULL)")
    connection.commit()
    connection.close()
    return Manifest.open(path)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Manifest]:
    made = _made(tmp_path_factory.mktemp("index") / "Manifest.db")
    yield made
    made.close()


def _chosen(manifest: Manifest, selection: Selection) -> list[tuple[str | None, str | None]]:
    rows = [(entry.domain, entry.relative_path) for entry in manifest.entries(selection, records=False)]
    assert rows == [(entry.domain, entry.relative_path) for entry in manifest.entries(selection)]
    return rows


@pytest.mark.parametrize("domain", [*DOMAINS, "AppDomain-a?b", "AppDomain-*", "", "nowhere", "\udcff"])
def test_a_domain_is_that_one_name(domain: str, manifest: Manifest) -> None:
    rows = _chosen(manifest, Selection(domain=domain))
    assert {each for each, _ in rows} == ({domain} if domain in DOMAINS else set())
    assert len(rows) == (len(PATHS) if domain in DOMAINS else 0)


@pytest.mark.parametrize(
    ("glob", "wanted"),
    [
        ("a.txt", ["a.txt"]),
        ("_.txt", ["_.txt"]),
        ("%.txt", ["%.txt"]),
        ("[1].txt", []),
        ("[[]1].txt", ["[1].txt"]),
        ("[[]*", ["[1].txt"]),
        ("[a-z].txt", ["a.txt"]),
        ("[!a-z].txt", ["A.txt", "_.txt", "%.txt", "\udcff.txt"]),
        ("[^a].txt", ["a.txt"]),  # ^ is a letter here, as in fnmatch
        ("x/*", ["x/y.txt"]),
        ("*y.txt", ["x/y.txt"]),  # * crosses /
        ("x?y.txt", ["x/y.txt"]),
        (NFC, [NFC]),
        (NFD, [NFD]),
        ("caf?.txt", [NFC]),
        ("caf??.txt", [NFD]),
        ("new*", ["new\nline"]),
        ("[*]", ["*"]),
        ("[?]", ["?"]),
        ("\udcff*", ["\udcff.txt"]),
        ("", [""]),
        ("*", PATHS),
        ("[", []),
        ("[z-a]*", []),
    ],
)
def test_in_a_glob_only_three_things_are_special(glob: str, wanted: list[str], manifest: Manifest) -> None:
    rows = _chosen(manifest, Selection(domain="HomeDomain", glob=glob))
    assert sorted(path or "" for _, path in rows) == sorted(wanted)
    assert len(_chosen(manifest, Selection(glob=glob))) == len(wanted) * len(DOMAINS)


@given(path=st.text(max_size=12), glob=st.text("ab*?/%_.\u00e9", max_size=8))
def test_stars_and_question_marks_mean_what_they_mean_in_a_naive_matcher(path: str, glob: str) -> None:
    def fits(text: str, pattern: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return fits(text, pattern[1:]) or (bool(text) and fits(text[1:], pattern))
        return bool(text) and pattern[0] in {"?", text[0]} and fits(text[1:], pattern[1:])

    assert matches_glob(path, glob) == fits(path, glob)


def test_a_glob_of_many_stars_does_not_take_forever() -> None:
    assert not matches_glob("a" * 2000, "a*" * 30 + "b")


def test_ids_are_exact_and_those_that_no_row_has_can_be_named(manifest: Manifest) -> None:
    wanted = file_id_of("HomeDomain", "a.txt")
    asked = frozenset({wanted, wanted.upper(), "0" * 40, "x", "\udcff"})
    assert _chosen(manifest, Selection(ids=asked)) == [(None, None), ("HomeDomain", "a.txt")]
    assert manifest.absent(Selection(ids=asked)) == sorted({wanted.upper(), "0" * 40, "\udcff"})
    assert _chosen(manifest, Selection(ids=frozenset())) == []
    assert manifest.absent(Selection()) == []


def test_all_conditions_must_hold(manifest: Manifest) -> None:
    ids = frozenset(file_id_of(domain, "a.txt") for domain in DOMAINS)
    assert _chosen(manifest, Selection(ids=ids, domain="AppDomain-a_b")) == [("AppDomain-a_b", "a.txt")]
    assert _chosen(manifest, Selection(ids=ids, app="a", glob="?.txt")) == [
        ("AppDomain-a", "a.txt"),
        ("AppDomain-a.x", "a.txt"),
    ]
    assert _chosen(manifest, Selection(domain="HomeDomain", app="a")) == []


def test_more_ids_than_can_be_looked_up_are_found_in_one_pass(manifest: Manifest) -> None:
    ids = frozenset({f"{number:040x}" for number in range(25_000)} | {file_id_of("HomeDomain", "a.txt")})
    assert _chosen(manifest, Selection(ids=ids)) == [("HomeDomain", "a.txt")]


@pytest.mark.parametrize(
    ("domain", "app", "is_its"),
    [
        ("AppDomain-net.whatsapp.WhatsApp", "net.whatsapp.WhatsApp", True),
        ("AppDomainGroup-group.net.whatsapp.WhatsApp.shared", "net.whatsapp.WhatsApp", True),
        ("AppDomainPlugin-net.whatsapp.WhatsApp.Share", "net.whatsapp.WhatsApp", True),
        ("AppDomain-net.whatsapp.WhatsAppBusiness", "net.whatsapp.WhatsApp", False),
        ("AppDomain-net.whatsapp.whatsapp", "net.whatsapp.WhatsApp", False),
        ("AppDomain-com.a-b.c", "com.a-b.c", True),
        ("HomeDomain", "HomeDomain", False),
    ],
)
def test_an_app_has_its_domain_its_plug_ins_and_its_groups(domain: str, app: str, is_its: bool) -> None:
    assert belongs(domain, app) is is_its


def test_an_index_in_utf_16_is_asked_the_same_way(tmp_path: Path) -> None:
    manifest = _made(tmp_path / "Manifest.db", "UTF-16le", [path for path in PATHS if "\udcff" not in path])
    assert _chosen(manifest, Selection(domain="AppDomain-a_b", glob="caf?.txt")) == [("AppDomain-a_b", NFC)]
    assert len(_chosen(manifest, Selection(glob="[!a]*.txt"))) == 8 * len(DOMAINS) - len(DOMAINS)
    entry = manifest.resolve("HomeDomain", NFD)
    assert entry is not None
    assert entry.relative_path == NFD
    manifest.close()


def test_a_file_of_ids_may_have_comments_blank_lines_and_a_mark_of_windows(tmp_path: Path) -> None:
    path = tmp_path / "ids"
    path.write_bytes(b"\xef\xbb\xbf# two\r\n" + b"a" * 40 + b"\r\n\r\n  " + b"b" * 40 + b"  \n")
    assert read_ids(path) == {"a" * 40, "b" * 40}
    for content in (None, b"\xff\xfe\x00"):
        if content is None:
            path = tmp_path / "absent"
        else:
            path.write_bytes(content)
        with pytest.raises(UsageError) as refused:
            read_ids(path)
        assert refused.value.hint
