"""One page of the report: the template, the furniture that every page carries, and the file it becomes.

Evidence is hostile: templates escape by default, an undefined name is an error, everything printed passes through
`characters.finalize`, and the policy in the head allows nothing but files of this report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import jinja2
import msgspec

from bagtag.reports.html import characters
from bagtag.reports.html.clock import Clock
from bagtag.reports.html.view import BundleView

PER_LIST = 1000
"""Rows on one page of a list."""

NAVIGATION = (
    ("index.html", "Overview"),
    ("issues.html", "Issues"),
    ("files.html", "Files"),
    ("deletion-traces.html", "Deletion traces"),
    ("contacts.html", "Contacts"),
    ("drafts.html", "Drafts"),
    ("settings.html", "Settings"),
    ("about.html", "About"),
)

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; base-uri 'none'; "
    "form-action 'none'"
)
T = TypeVar("T")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates", encoding="utf-8"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=characters.finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["attribute"] = characters.attribute
    environment.filters["block"] = characters.block
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.globals["policy"] = characters.attribute(_POLICY)
    environment.globals["navigation"] = NAVIGATION
    return environment


@dataclass(slots=True)
class Pages:
    """Where pages go, what they all say, and which were written."""

    out: Path
    bundle: BundleView
    clock: Clock
    written: list[Path] = field(default_factory=list)

    def write(self, name: str, template: str, **context: Any) -> None:
        """Render a template into `<out>/<name>`, piece by piece: a page need not fit in memory."""
        pieces = (
            _environment()
            .get_template(template)
            .generate(
                name=name,
                case=self.bundle.case,
                device=self.bundle.device,
                zone=self.clock.name,
                version=self.bundle.version,
                **context,
            )
        )
        path = self.out / name
        with path.open("w", encoding="utf-8", newline="\n", buffering=1 << 18) as target:
            target.writelines(pieces)
        self.written.append(path)

    def static(self, name: str) -> None:
        """Put a file of this package beside the pages, as it is."""
        path = self.out / name
        path.write_bytes((_HERE / "static" / name).read_bytes())
        self.written.append(path)

    def listing(self, name: str, template: str, rows: Iterable[T], total: int, **context: Any) -> None:
        """A list cut into pages `<stem>.html`, `<stem>-2.html` …; at least one page, even for no row.

        `context` may hold `prepare`, called with the rows of each page and giving what the template gets as `rows`.
        """
        prepare: Callable[[list[T]], list[Any]] = context.pop("prepare", list)
        stem = name.removesuffix(".html")
        names = [numbered(stem, number) for number in range(1, max(1, -(-total // PER_LIST)) + 1)]
        batches = _batches(rows)
        for number, page in enumerate(names, start=1):
            shown = prepare(next(batches, []))
            self.write(page, template, rows=shown, total=total, pager=pager(names, number), **context)


@dataclass(frozen=True, slots=True)
class Pager:
    """The pages of one list or conversation, as file names, and which of them this is (from 1)."""

    names: list[str]
    number: int

    @property
    def before(self) -> str | None:
        """The page before this one."""
        return self.names[self.number - 2] if self.number > 1 else None

    @property
    def after(self) -> str | None:
        """The page after this one."""
        return self.names[self.number] if self.number < len(self.names) else None


def pager(names: list[str], number: int) -> Pager:
    """The pager of page `number` (from 1)."""
    return Pager(names, number)


def numbered(stem: str, number: int) -> str:
    """The file name of page `number` (from 1): the first bears no number."""
    return f"{stem}.html" if number == 1 else f"{stem}-{number}.html"


def lines(path: Path, kind: type[T]) -> Iterator[T]:
    """The records of a JSON Lines file; nothing when it does not exist."""
    if not path.exists():
        return
    decode = msgspec.json.Decoder(kind).decode
    with path.open("rb") as source:
        for line in source:
            yield decode(line)


def count(path: Path) -> int:
    """How many lines a file has; 0 when it does not exist."""
    if not path.exists():
        return 0
    with path.open("rb") as source:
        return sum(1 for _ in source)


def _batches(rows: Iterable[T]) -> Iterator[list[T]]:
    batch: list[T] = []
    for row in rows:
        batch.append(row)
        if len(batch) == PER_LIST:
            yield batch
            batch = []
    if batch:
        yield batch
