"""Setting a document: a fixed template, a file of prepared data and a fixed list of fonts become one PDF.

Done by typst in a child process with limits: evidence decides how long a document gets. The same template, data, fonts
and time of creation give the same bytes on every computer with the same typst.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bagtag.custody.errors import BagtagError, EvidenceError, UsageError
from bagtag.reports.pdf.fonts import Typeface

_SCRIPT = Path(__file__).with_name("typesetter.py")
_FONTS = "fonts"
_THREADS = "4"
_MAX_TOLD = 300


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may cost: `seconds` of the clock (and of one processor's time), `memory` in bytes."""

    seconds: int = 300
    memory: int = 4 << 30


class TypesettingError(BagtagError):
    """The typesetter refused a document that was prepared for it: a fault of bagtag, exit code 70."""


def require_typst() -> None:
    """Raise UsageError where typst is not installed, before any work is done."""
    if importlib.util.find_spec("typst") is None:
        raise UsageError(
            "a PDF needs the package typst, which is not installed here (there is none for Windows on ARM)",
            hint="--no-pdf writes the same facts as HTML alone; or make the PDF on another computer",
        )


def typeset(
    root: Path,
    template: str,
    out: Path,
    *,
    typefaces: Sequence[Typeface],
    created: datetime,
    limits: Limits | None = None,
) -> tuple[str, ...]:
    """Set `root/template` into the file `out`; what the typesetter warned of comes back, for a sound template nothing.

    `root` is a private folder that holds the template and whatever it reads; copies of the fonts are put into it, so
    that no other is found. `created` is the document's date, aware. Raises UsageError without typst, EvidenceError when
    a limit was met, TypesettingError when the document was refused.
    """
    require_typst()
    bounds = limits or Limits()
    _lay_out_fonts(root / _FONTS, typefaces)
    question = {
        "root": str(root),
        "template": str(root / template),
        "out": str(out),
        "fonts": str(root / _FONTS),
        "created": int(created.astimezone(UTC).timestamp()),
        "memory": bounds.memory,
        "seconds": bounds.seconds,
    }
    answer = _asked(question, bounds)
    if "error" in answer:
        hints = "; ".join(map(str, answer.get("hints") or ()))[:_MAX_TOLD]
        raise TypesettingError(
            f"the PDF could not be set: {str(answer['error'])[:_MAX_TOLD]}",
            hint=f"please report this{f' (typst says: {hints})' if hints else ''}; --no-pdf writes the HTML alone",
        )
    return tuple(map(str, answer["warnings"]))


def _lay_out_fonts(folder: Path, typefaces: Sequence[Typeface]) -> None:
    """Copies of exactly these files, under names that keep their order."""
    folder.mkdir(mode=0o700)
    files = dict.fromkeys(path for face in typefaces for path in (face.path, *face.along))
    for number, path in enumerate(files):
        shutil.copyfile(path, folder / f"{number:03}{path.suffix}")


def _asked(question: dict[str, Any], bounds: Limits) -> dict[str, Any]:
    # One arena of memory for each of many threads would count against the limit without being used.
    environment = {**os.environ, "MALLOC_ARENA_MAX": _THREADS, "RAYON_NUM_THREADS": _THREADS}
    try:
        ran = subprocess.run(  # noqa: S603 - our own script, no shell
            [sys.executable, "-I", str(_SCRIPT)],
            input=json.dumps(question).encode("ascii"),
            capture_output=True,
            timeout=bounds.seconds,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired as trouble:
        raise _too_large(bounds) from trouble
    if ran.returncode == 1:  # an exception of Python: the limits end a process otherwise
        last = ran.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise TypesettingError(f"the typesetter did not work: {last[:_MAX_TOLD]}", hint="please report this")
    try:
        answer: dict[str, Any] = json.loads(ran.stdout)
    except ValueError as trouble:
        raise _too_large(bounds) from trouble  # it was ended by a limit and could not answer
    return answer


def _too_large(bounds: Limits) -> EvidenceError:
    return EvidenceError(
        f"the PDF was given up: it took more than {bounds.seconds} seconds or {bounds.memory >> 20:,} MiB",
        hint="--no-pdf writes the same facts as HTML alone",
    )
