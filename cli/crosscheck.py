"""`bagtag crosscheck`: every file of an encrypted backup read again by a tool of other hands, and compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bagtag.cli import console
from bagtag.cli.endings import DONE, ISSUES
from bagtag.cli.opening import harmed, opened
from bagtag.cli.options import BackupArgument, JsonOption, KeyFileOption, PassphraseFileOption
from bagtag.cli.passphrase import Secrets

if TYPE_CHECKING:
    from bagtag.extract.crosscheck import Crosscheck, SecondReading


def crosscheck(
    backup: BackupArgument,
    passphrase_file: PassphraseFileOption = None,
    key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> int:
    """Read every encrypted file a second time, with iphone-backup-decrypt, and compare the digests.

    Exit code 1 when the two tools read a file differently. What the second tool does not cover or refuses is said.
    """
    from bagtag.extract.crosscheck import Crosscheck
    from bagtag.extract.decrypt import extract

    secrets = Secrets(passphrase_file, key_file)
    with opened(backup) as (source, place):
        if source.locked:
            secrets.unlock(source)
        check = Crosscheck(source, place)
        if check.reason is not None:
            console.say(f"not covered: {check.reason}")
            return DONE
        with console.watching() as progress:
            progress.step("reading twice", console.FRACTIONS)
            rows = extract(source, None, None, None, progress=console.fraction(progress), with_orphans=False)
            for reading in check.compare(rows):
                if as_json:
                    console.json_line(reading)
                elif reading.verdict != "agree":
                    console.result(_line(reading, check))
        if not as_json:
            for line in _summary(check):
                console.result(line)
        worst = harmed(source)
        return ISSUES if worst or check.totals["differ"] else DONE


def _line(reading: SecondReading, check: Crosscheck) -> str:
    why = check.refusals.get(reading.file_id, "")
    told = why if reading.verdict == "refused" else f"first {reading.sha256_first}, second {reading.sha256_second}"
    return f"{reading.verdict:<8}  {console.safe(reading.file_id)}  {console.safe(told)}".rstrip()


def _summary(check: Crosscheck) -> Iterator[str]:
    from bagtag.extract.crosscheck import TOOL

    for verdict in ("agree", "differ", "refused"):
        yield f"{verdict:<8}  {check.totals[verdict]:,}"
    yield f"second reading by {TOOL} {check.version}"
