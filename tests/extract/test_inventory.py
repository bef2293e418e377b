"""A line of the inventory: keys and order of the public contract, and values that JSON could not carry."""

from __future__ import annotations

import json

import pytest

from bagtag.extract.evidence import Outcome
from bagtag.extract.index.mbfile import FileMetadata
from bagtag.extract.inventory import InventoryRow, Plain, Stored, decode, describe, encode
from bagtag.extract.manifest import FileEntry

KEYS = [
    "file_id", "domain", "relative_path", "flags", "size", "mode", "modified_at", "changed_at", "created_at",
    "protection_class", "outcome", "findings", "stored", "plain", "bag_path", "name_changed", "manifest",
]  # fmt: skip
MANIFEST_KEYS = ["inode", "uid", "gid", "target", "digest", "xattrs", "row_sha256", "raw"]


def metadata(**changed: object) -> FileMetadata:
    facts: dict[str, object] = {
        "relative_path": "a", "size": 5, "mode": 0o100644, "modified": 1700000000, "changed": 1700000001.5,
        "created": 0,
        "inode": 7, "uid": 501, "gid": -2, "protection_class": 3, "flags": 128, "encryption_key": None,
        "digest": bytes(20), "target": None, "xattrs": {"b": b"\x01", "a": b"\xff" * 5000}, "raw": {"New": "value"},
    }  # fmt: skip
    return FileMetadata(**(facts | changed))  # type: ignore[arg-type]


def entry(path: str | None = "a", file_id: str = "0" * 40) -> FileEntry:
    return FileEntry(1, file_id, "HomeDomain", path, 1, b"")


def test_a_line_has_the_keys_of_the_contract_in_their_order() -> None:
    row = describe(entry(), metadata(), "f" * 64)
    row.outcome = Outcome.OK
    row.stored = Stored(path="00/" + "0" * 40, size=16, sha256="a" * 64)
    row.plain = Plain(size=5, sha256="b" * 64)
    line = encode(row)
    assert line.endswith(b"}\n")
    assert b": " not in line
    told = json.loads(line)
    assert list(told) == KEYS
    assert list(told["manifest"]) == MANIFEST_KEYS
    assert (list(told["stored"]), list(told["plain"])) == (["path", "size", "sha256"], ["size", "sha256"])
    assert told["modified_at"] == "2023-11-14T22:13:20.000000000Z"
    assert told["changed_at"] == "2023-11-14T22:13:21.500000000Z"
    assert told["created_at"] == "1970-01-01T00:00:00.000000000Z"
    assert told["manifest"]["xattrs"] == {"a": {"size": 5000}, "b": "01"}
    assert told["manifest"]["raw"] == {"New": "value", "Flags": 128}
    assert decode(line) == row


def test_further_digests_stand_behind_sha256_in_one_order() -> None:
    row = InventoryRow(file_id="0" * 40, outcome=Outcome.OK, plain=Plain(size=0, sha256="a", md5="b", sha512="c"))
    assert list(json.loads(encode(row))["plain"]) == ["size", "sha256", "sha512", "md5"]


def test_a_row_without_a_record_has_nulls_and_nothing_invented() -> None:
    told = json.loads(encode(describe(entry(), None, None)))
    assert list(told) == KEYS
    assert {key for key, value in told.items() if value is None} == set(KEYS) - {
        "file_id", "domain", "relative_path", "flags", "outcome", "findings", "manifest",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "key", "raw"),
    [
        ({"size": 2**64}, "size", {"Size": str(2**64)}),
        ({"modified": float("nan")}, "modified_at", {"LastModified": "nan"}),
        ({"created": 10**30}, "created_at", {"Birth": str(10**30)}),
    ],
)
def test_what_a_field_cannot_carry_is_kept_raw(changed: dict[str, object], key: str, raw: dict[str, str]) -> None:
    told = json.loads(encode(describe(entry(), metadata(**changed, raw={}), None)))
    assert told[key] is None
    assert told["manifest"]["raw"] == {"Flags": 128} | raw


def test_odd_values_of_unknown_keys_do_not_break_the_line() -> None:
    nested: object = "end"
    for _ in range(100):
        nested = [nested]
    raw = {"Big": 2**100, "Nested": nested, "Float": float("inf"), "Lone": "\ud800", "Bytes": b"\xff"}
    told = json.loads(encode(describe(entry(), metadata(raw=raw), None)))["manifest"]["raw"]
    assert told["Big"] == str(2**100)
    assert told["Lone"] == "\ufffd"


def test_a_path_that_is_no_unicode_shows_replacements_and_keeps_its_bytes() -> None:
    told = json.loads(encode(describe(entry("a\udcffb"), metadata(), None)))
    assert told["relative_path"] == "a\ufffdb"
    assert told["manifest"]["raw"]["relativePath"] == "61ff62"
