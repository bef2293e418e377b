"""The fixed wording of a certificate: what any such page says, whatever the folder.

Nothing here speaks for the examiner: what sounds like a statement is offered to the declarant to tick or strike out.
The two declarations are those that 28 U.S.C. § 1746 gives; the rules are the Federal Rules of Evidence.
"""

from __future__ import annotations

MARK = "DRAFT FOR SIGNATURE – certifies nothing until a qualified person has completed, read and signed it"
INTRODUCTION = (
    "This draft was filled in by a program from an evidence folder. “The folder records” means just that: the "
    "program repeats what stands there. Nothing in it is a statement of the examiner or of anybody else until a "
    "qualified person has checked it, ticked the statements that are true to that person’s knowledge, struck out "
    "the others, filled in the blanks and signed. A certification shows that the evidence is what it is claimed "
    "to be; it does not settle hearsay, relevance, privilege or confrontation. It is no legal advice."
)
PROCESS = (
    "A device writes a backup of its own data to a computer. The program reads that backup without changing it, "
    "opens it with the backup’s passphrase or key where it is encrypted, and computes the SHA-256 of each file as"
    " stored and as opened. It then reads the message and contact databases row by row and writes each row as a "
    "record with its place of origin; what could not be read as it should be is recorded as an issue. Files, "
    "records and inventory are listed with their SHA-256 values in a manifest (BagIt, RFC 8493), the manifest is "
    "listed in the tag manifest, and the SHA-256 of the tag manifest, the bag digest, thus fixes every byte. Each"
    " step is a line of a log, and each line names the SHA-256 of the line before."
)
NOTICE = (
    "Rules 902(11), (13) and (14) ask the proponent to give an adverse party, before the trial or hearing, "
    "reasonable written notice of the intent to offer the record, and to make the record and the certification "
    "available for inspection, so that the party has a fair opportunity to challenge them."
)
NAMES_AN_EXAMINER = "The folder names an examiner; it does not tell whether the declarant is that person."
UNAUTHENTICATED = (
    "Descriptions of the device are claims of the backup’s property lists, which nothing authenticates; the "
    "program did not compare them with the device."
)
TICK = "Tick what is true to your own knowledge; strike out what is not; add what a witness would have to say."
READ_ONLY = "The source was opened for reading only, and work was done on copies."
PROCESS_USED = "The process described above was used to make the records that are attached."
WORKED = "The process was working properly at the time, as far as I could observe."
ACCURATE = "The process produces an accurate result. It is tested regularly, in the way that is described below."
SECOND_READING = "A second, independent program read a sample of the files again."
COMPARED = (
    "I compared the bag digest above with the one that was recorded when the folder was sealed, and they are equal."
)
COMPARED_BASIS = "The program computed it again when it made this draft; it did not read the payload again."
CHECKED = (
    "I had every file of the folder checked against its recorded SHA-256, and all were equal except for the "
    "mismatches that are listed below."
)
CHECKED_BASIS = "`bagtag verify` does this; README.txt in the folder says how to do it with other tools."
WITHIN = "I declare under penalty of perjury that the foregoing is true and correct."
WITHIN_BASIS = "If executed within the United States, its territories, possessions, or commonwealths."
WITHOUT = (
    "I declare under penalty of perjury under the laws of the United States of America that the foregoing is true"
    " and correct."
)
WITHOUT_BASIS = (
    "If executed without the United States. Under rule 902(12), in a civil case, the certification must be signed"
    " in a manner that, if falsely made, would subject the signer to a criminal penalty in the country where it "
    "is signed."
)
CHOOSE = "Keep one of the two and strike out the other."
LIMITS: tuple[str, ...] = (
    (
        "A backup is what the device chose to copy: logical data, not an image of the device. Content that was "
        "only in a cloud, was removed before the backup, or is not backed up by the operating system is not in "
        "it. Two backups of one device differ, so there is no such thing as the digest of the phone."
    ),
    (
        "Times in the records are those of the device’s and the senders’ clocks; times in the log are those of "
        "the examining computers’ clocks. Neither was checked against another clock unless the log says so."
    ),
    "The records name accounts, numbers and addresses. They do not tell which person used them.",
    (
        "Apple does not publish these formats. Meanings of columns come from examination and published research; "
        "where a meaning is not known the raw value is kept."
    ),
    ("A digest shows that bytes did not change since it was computed. It does not show who wrote them, or when."),
)
