"""Step 7, the statement: seal/statement.json is canonical, and names this bag and that line of the log."""

from __future__ import annotations

from dataclasses import dataclass, field

from bagtag.custody.problem import Problem
from bagtag.reports.bundle import manifest, seal_folder, statement
from bagtag.reports.bundle.checks.chains import LIVING, Logs
from bagtag.reports.bundle.evidence_folder import EvidenceFolder, sha256_of
from bagtag.reports.bundle.statement import Statement

PATH = f"{seal_folder.NAME}/{seal_folder.STATEMENT}"


@dataclass(slots=True)
class Stated:
    """The bytes that signatures and stamps are over, None where there are none; `facts` where they say any."""

    raw: bytes | None = None
    facts: Statement | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def last_line(self) -> int | None:
        """The number of the last custody line that whoever vouches for the statement vouches for."""
        return None if self.facts is None else self.facts.custody_seq


def read(folder: EvidenceFolder, logs: Logs) -> Stated:
    """The statement, and what is wrong with it."""
    stated = Stated()
    try:
        with folder.open(PATH) as file:
            stated.raw = file.read(statement.MAX_SIZE)
            stated.facts = facts = statement.parse(stated.raw)
    except OSError:
        return stated  # step 1 says so
    except ValueError as trouble:
        stated.problems.append(Problem(PATH, str(trouble)))
        return stated
    for what, said, path in (
        ("bag digest", facts.bag_digest, f"bag/{manifest.TAGS}"),
        ("payload digest", facts.payload_digest, f"bag/{manifest.PAYLOAD}"),
    ):
        if (sha256 := sha256_of(folder, path)) is not None and sha256 != said:
            stated.problems.append(Problem(PATH, f"names another {what}", sha256, said))
    stated.problems += _line(facts, logs)
    return stated


def _line(facts: Statement, logs: Logs) -> list[Problem]:
    if logs.living is None or logs.sealed is None:
        return []  # step 5 says so
    number = len(logs.sealed)
    if facts.custody_seq != number:
        what = "names another line than the one after the sealing"
        return [Problem(PATH, what, str(number), str(facts.custody_seq))]
    lies = logs.living[number].sha256 if number < len(logs.living) else None
    if lies == facts.custody_head:
        return []
    # Which of the two was changed cannot be told from here, so both are named.
    return [
        Problem(LIVING, f"line {number} is not the one that {PATH} names", facts.custody_head, lies),
        Problem(PATH, f"does not name line {number} of {LIVING}", lies, facts.custody_head),
    ]
