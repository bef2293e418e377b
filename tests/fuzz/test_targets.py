"""The fuzzing targets over their seeds and a few thousand mutations: `make fuzz` goes on from where this stops."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[2] / "fuzz"
MUTATIONS = 3000
ODD = (b"\x00", b"\x7f", b"\x80", b"\xff", b"\xff\xff", b"\xff\xff\xff\xff", b"\x00\x00\x00\x01", bytes(8), b"\x80\x01")

Target = Callable[[bytes], None]


@pytest.fixture(scope="module")
def targets() -> dict[str, Target]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FUZZ))
        found: dict[str, Target] = importlib.import_module("targets").TARGETS
    return found


def mutated(data: bytes, other: bytes, dice: random.Random) -> bytes:
    """The input with a few of its bytes changed, moved, cut or taken from another one."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at, length = dice.randint(0, len(changed)), dice.choice((1, 1, 1, 2, 4, 8, 32))
        match dice.randrange(5):
            case 0:
                changed[at : at + length] = dice.randbytes(length)
            case 1:
                changed[at : at + length] = dice.choice(ODD)
            case 2:
                del changed[at : at + length]
            case 3:
                start = dice.randint(0, len(other))
                changed[at:at] = other[start : start + length]
            case 4 if at < len(changed):
                changed[at] ^= 1 << dice.randrange(8)
    return bytes(changed)


NAMES = ("keybag", "mbdb", "plist", "row", "attributed-string", "keyed-archive", "protobuf", "summary", "handwriting",
         "digital-touch", "balloon", "sqlite-pages")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_rules_hold_for_every_seed_and_what_is_near_it(name: str, targets: dict[str, Target]) -> None:
    target, dice = targets[name], random.Random(name)
    seeds = [path.read_bytes() for path in sorted((FUZZ / "corpus" / name).iterdir())]
    for seed in seeds:
        target(seed)
    for _ in range(MUTATIONS):
        data = mutated(dice.choice(seeds), dice.choice(seeds), dice)
        try:
            target(data)
        except Exception as trouble:
            trouble.add_note(f"the input: {data.hex()}")
            raise


def test_every_target_has_seeds_and_no_seed_is_without_a_target(targets: dict[str, Target]) -> None:
    assert {path.name for path in (FUZZ / "corpus").iterdir()} == set(targets)
