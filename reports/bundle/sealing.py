"""Closing the bag: from a filled payload to a sealed evidence folder, in an order that a crash at any point survives.

The `sealed` line is the turning point. Before it everything but data/files is made anew by the run that continues;
after it nothing in the bag changes, and what is missing follows from what is there.
"""

from __future__ import annotations

import uuid
from pathlib import Path

import msgspec

from bagtag.custody import durable, log
from bagtag.custody.errors import EvidenceError
from bagtag.custody.line import Artifact, CustodyLine
from bagtag.custody.log import CustodyLog
from bagtag.custody.progress import Progress
from bagtag.extract.backup import Backup
from bagtag.reports.bundle import manifest, readme, statement
from bagtag.reports.bundle.bag import BagWriter
from bagtag.reports.bundle.bag_info import BagInfo
from bagtag.reports.bundle.contents import sha256_of
from bagtag.reports.bundle.filling import Filling
from bagtag.reports.bundle.job import Job
from bagtag.reports.bundle.record_files import SCHEMAS, json_schema
from bagtag.reports.bundle.seal import Seal
from bagtag.reports.bundle.statement import Statement
from bagtag.reports.bundle.verify import verify


def seal(partial: Path, job: Job, filling: Filling, custody: CustodyLog, *, bagged_on: str, version: str) -> None:
    """Write the manifest, the label, the schemas and README.txt, have all of it on the disk, and say `sealed`."""
    payload = filling.writer.write_manifest()
    filling.writer.write_labels(_label(job, filling, bagged_on=bagged_on, version=version))
    filling.writer.write_schemas(
        {name: msgspec.json.format(msgspec.json.encode(json_schema(kind, name)), indent=2) + b"\n"
         for name, kind in SCHEMAS.items()}
    )  # fmt: skip
    page = readme.render(job.examination, version, payload, filling.writer.files, filling.writer.octets)
    durable.write(partial / readme.NAME, page)
    durable.flush_tree(partial / "bag")
    custody.append(
        "sealed",
        result="ok",
        actor=job.examination.examiner,
        authority=job.examination.authority,
        outputs=[payload, Artifact(readme.NAME, len(page), sha256_of(partial / readme.NAME))],
    )


def sealed_at(custody: Path) -> int | None:
    """The number of the `sealed` line, None when there is none."""
    if not custody.exists():
        return None
    return next(
        (entry.number for entry in log.read(custody)
         if isinstance(entry.line, CustodyLine) and entry.line.event == "sealed"),
        None,
    )  # fmt: skip


def close(partial: Path, job: Job, custody: CustodyLog) -> None:
    """From the `sealed` line on: the log's copy, the tag manifest, the line that names it, the statement."""
    bag = partial / "bag"
    number = sealed_at(custody.path)
    lines = list(log.read(custody.path))
    if number == len(lines) - 1:
        with BagWriter(bag, partial / "work" / "tags.db") as writer:
            writer.write_custody(custody.path)
            tags = writer.write_tagmanifest()
        custody.append(
            "stored", result="ok", actor=job.examination.examiner, outputs=[tags], note="the output's is the bag digest"
        )  # fmt: skip
        lines = list(log.read(custody.path))
    (partial / "seal").mkdir(mode=durable.PRIVATE_FOLDER, exist_ok=True)
    named = lines[(number or 0) + 1]
    facts = Statement(sha256_of(bag / manifest.TAGS), sha256_of(bag / manifest.PAYLOAD), named.sha256, named.number)
    durable.write(partial / "seal" / "statement.json", statement.render(facts))


def vouch(partial: Path, job: Job, custody: CustodyLog) -> tuple[str, ...]:
    """Sign and stamp the statement as the job orders. A stamp that cannot be had is a note, never a failure."""
    order, examiner = job.sealing, job.examination.examiner
    here = Seal(partial, custody, examiner)
    here.settle()
    if order.signer is not None:
        here.sign(order.signer, order.name or examiner)
    if order.authority is None:
        return ()
    here.mend()
    if here.stamps:
        return ()  # the run that was interrupted had it
    failure = here.stamp(order.authority).failure
    return () if failure is None else (f"{failure}; `bagtag seal DEST --tsa URL` stamps it later",)


def check(partial: Path, job: Job, custody: CustodyLog, progress: Progress) -> None:
    """Read everything back from the disk and write down what came out. Raises EvidenceError when it differs."""
    bag = partial / "bag"
    tags = Artifact(manifest.TAGS, (bag / manifest.TAGS).stat().st_size, sha256_of(bag / manifest.TAGS))
    intent = custody.begin("verified", actor=job.examination.examiner, inputs=[tags])
    progress.step("Reading back")
    found = verify(partial, progress=progress)
    custody.finish(
        intent, result="failed" if found.problems else "ok", note=f"{found.verdict}, read back from the disk"
    )
    if found.problems:
        first = found.problems[0]
        raise EvidenceError(
            f"read back, {first.path}: {first.what} ({len(found.problems)} problems)",
            hint=f"the disk may be failing; all is kept; `bagtag verify {partial}` lists every problem",
        )
    if job.sealing.signer is not None:
        Seal(partial, custody, job.examination.examiner).cover(job.sealing.signer)


def _label(job: Job, filling: Filling, *, bagged_on: str, version: str) -> BagInfo:
    device = filling.backup.device
    totals = filling.crosscheck.totals
    read_twice = ", ".join(f"{totals[verdict]} {verdict}" for verdict in sorted(totals)) or "no file"
    reason = f" ({filling.crosscheck.reason})" if filling.crosscheck.reason else ""
    return BagInfo(
        examination=job.examination,
        bagged_on=bagged_on,
        run_id=str(uuid.uuid4()),
        software=f"bagtag {version}",
        source_digest=filling.proof.digest,
        encryption=_encryption(filling.backup),
        second_reading=f"{read_twice}{reason}",
        time_zone=job.tz,
        source_device=", ".join(
            text for text in (device.product_type, device.product_version, device.serial, device.udid) if text
        ),
        source_backup_id=device.backup_id,
    )


def _encryption(backup: Backup) -> str:
    if backup.state == "encrypted":
        return f"encrypted; opened with the backup's passphrase or derived key; key bag sha256 {backup.key_bag_sha256}"
    if backup.state == "already-plain":
        return "declared or made encrypted, decrypted in place before bagtag saw it"
    return "not encrypted"
