"""Our typedstream writer against a vector by other hands and against python-typedstream as a reader."""

from __future__ import annotations

import typedstream

from bagtag.sample_backups.typedstream import Number, Run, Url, Value, Writer, attributed_string, utf16_length

PART = "__kIMMessagePartAttributeName"
VECTOR = bytes.fromhex(
    "040b73747265616d747970656481e803840140848484194e534d757461626c6541747472696275746564537472696e67008484124e534174"
    "7472696275746564537472696e67008484084e534f626a6563740085928484840f4e534d757461626c65537472696e67018484084e535374"
    "72696e67019584012b0248698684026949010292848484"
    "0c4e5344696374696f6e617279009584016901928498981d5f5f6b494d4d657373616765506172744174747269627574654e616d65869284"
    "8484084e534e756d6265720084"
    "84074e5356616c7565009584012a849b9b00868686"
)


def test_the_known_stream_of_two_letters_is_written_byte_for_byte() -> None:
    assert attributed_string([Run("Hi", {PART: 0})]) == VECTOR


def test_an_empty_text_has_no_runs_and_76_bytes_as_unsent_messages_have() -> None:
    assert len(attributed_string([], mutable=False)) == 76


def test_runs_count_utf16_units() -> None:
    assert [utf16_length(text) for text in ("ab", "é", "😀", "👍🏽", "")] == [2, 1, 2, 4, 0]


def read(stream: bytes) -> tuple[str, list[object]]:
    contents = typedstream.unarchive_from_data(stream).contents
    return contents[0].value.value, contents[1:]


def test_another_reader_finds_the_text_and_every_kind_of_value() -> None:
    values: dict[str, Value] = {
        "number": 7,
        "long": Number(1 << 30, "q"),
        "flag": Number(1, "c"),
        "url": Url("https://example.com"),
        "bytes": b"xyz",
    }
    text, rest = read(attributed_string([Run("Zürich ", {PART: 0}), Run("😀", {PART: 1, **values})]))
    assert text == "Zürich 😀"
    assert repr(rest[0]).endswith("values=[1, 7])")
    assert repr(rest[2]).endswith("values=[2, 2])")
    shown = repr(rest[3])
    for found in ("value=7)", f"value={1 << 30}", "NSURL('https://example.com')", "NSData(b'xyz')"):
        assert found in shown


def test_equal_attributes_share_one_dictionary() -> None:
    _, rest = read(attributed_string([Run("a", {PART: 0}), Run("b", {PART: 1}), Run("c", {PART: 0})]))
    groups = [each for each in rest if "values=" in repr(each)]
    assert [repr(each)[-14:] for each in groups] == ["values=[1, 1])", "values=[2, 1])", "values=[1, 1])"]


def test_lengths_beyond_7_15_and_16_bits_are_read_back() -> None:
    for length in (127, 128, 32767, 32768, 65535, 65536, 70000):
        text, rest = read(attributed_string([Run("x" * length, {PART: 0})]))
        assert len(text) == length
        assert repr(rest[0]).endswith(f"values=[1, {length}])")


def test_more_than_237_objects_are_referred_to_through_two_bytes() -> None:
    runs = [Run("x", {f"key {number}": number, "again": Number(number, "q")}) for number in range(150)]
    text, rest = read(attributed_string(runs))
    assert text == "x" * 150
    assert "'key 149'" in repr(rest[-1])


def test_integers_take_the_shortest_form_up_to_eight_bytes() -> None:
    forms = {
        -110: "92",
        127: "7f",
        -111: "8191ff",
        128: "818000",
        1000: "81e803",
        1 << 15: "8200800000",
        1 << 40: "870000000000010000",
    }
    for value, form in forms.items():
        writer = Writer()
        header = len(writer.out)
        writer.integer(value)
        assert writer.out[header:].hex() == form
