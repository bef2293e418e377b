"""What Apple's words and ours mean, in plain English for readers who know neither.

The words are those of the public contract; each sentence says what the data show and nothing more.
"""

from __future__ import annotations

OUTCOMES = {
    "ok": "read and carried whole",
    "ok-empty": "an empty file, as the index says",
    "directory": "a folder: it has no content of its own",
    "symlink": "a link: it has no content of its own",
    "missing": "listed in the index, but nothing is stored for it",
    "truncated": "stored shorter than it was; what is left was kept",
    "unterminated": "its encrypted end is damaged; what could be decrypted was kept",
    "bad-record": "its line in the index cannot be read",
    "unsafe-path": "its path cannot be written to a disk safely; kept under another name where there was content",
    "key-unavailable": "encrypted with a key that this backup does not give",
    "already-plain": "stored without encryption in an encrypted backup; carried as it is",
    "not-a-regular-file": "a link or device lies where its content should be; not followed",
    "other-flags": "an entry of a kind that is not known",
    "orphan": "content without a line in the index",
    "out-of-scope": "outside the scope of this examination; not carried",
}

LOSSES = frozenset(
    {
        "missing", "truncated", "unterminated", "bad-record", "unsafe-path", "key-unavailable", "not-a-regular-file",
        "other-flags", "orphan",
    }
)  # fmt: skip
"""Outcomes of files that are listed one by one."""

STALE = frozenset({"size-mismatch", "missing-size"})
"""Findings that are common and harmless: iOS often records a size that is no longer right."""

ATTACHMENT_STATUS = {
    "present": "in this bag",
    "damaged": "damaged in the backup",
    "missing-blob": "not there: the backup lists the file, but its content is missing",
    "purged": "not there: the device had removed it before the backup",
    "never-downloaded": "not there: the device never downloaded it",
    "outside-backup": "not there: it lies outside what a backup holds",
    "not-in-manifest": "not there: the backup's index does not list the file",
}

EFFECTS = {
    "lost": "could not be read at all",
    "partial": "was read in part",
    "recovered": "was found where it is no longer in use",
    "note": "worth knowing; nothing is missing",
}

TAPBACKS = {
    "loved": ("❤️", "loved"),
    "liked": ("👍", "liked"),
    "disliked": ("👎", "disliked"),
    "laughed": ("😂", "laughed at"),
    "emphasized": ("‼️", "emphasized"),
    "questioned": ("❓", "questioned"),
    "emoji": ("", "reacted with an emoji to"),
    "sticker": ("", "put a sticker on"),
    "unknown": ("", "reacted in a way that is not known to"),
}

APPS = {
    "url": "link preview",
    "music": "Apple Music",
    "app-store": "App Store",
    "place": "place or map",
    "collaboration": "collaboration",
    "apple-cash": "Apple Cash",
    "fitness": "fitness",
    "slideshow": "slideshow",
    "check-in": "Check In",
    "find-my": "Find My",
    "business": "business message",
    "poll": "poll",
    "handwriting": "handwriting",
    "digital-touch": "Digital Touch",
    "game": "game",
    "generic": "app message",
    "unknown": "app message of an unknown kind",
}

ANNOUNCEMENTS = {
    "participant-added": "added a participant",
    "participant-removed": "removed a participant",
    "participant-left": "left the conversation",
    "number-changed": "changed number",
    "name-changed": "changed the name of the conversation",
    "photo-changed": "changed the picture of the conversation",
    "photo-removed": "removed the picture of the conversation",
    "background-changed": "changed the background",
    "background-removed": "removed the background",
    "location-sharing": "started or stopped sharing a location",
    "audio-kept": "kept an audio message",
    "facetime": "FaceTime event",
    "unknown": "event of an unknown kind",
}

STATES = {
    "recently-deleted": "Recently deleted: on the device this message lay in “Recently Deleted”.",
    "recovered": "Recovered: this message is no longer a row of the database.",
    "orphan": "Orphan: this row belongs to no conversation in the database.",
}

FLAGS = {
    "was_downgraded": "downgraded: sent as SMS after iMessage did not get through",
    "was_delivered_quietly": "delivered quietly: the recipient had notifications silenced",
    "did_notify_recipient": "“Notify Anyway” was used",
    "is_auto_reply": "automatic reply",
    "is_audio_message": "audio message",
    "is_expirable": "set to expire",
    "was_detonated": "marked as removed after viewing",
    "is_spam": "marked as junk",
    "is_corrupt": "marked as corrupt by the device",
    "is_forward": "marked as forwarded",
    "is_sos": "emergency (SOS)",
    "is_critical": "critical alert",
    "is_time_sensitive": "time sensitive",
    "is_stewie": "satellite emergency text",
    "is_pending_satellite_send": "waiting to be sent by satellite",
    "sent_or_received_off_grid": "sent or received by satellite",
    "is_kt_verified": "Contact Key Verification succeeded",
}
"""Status columns of `message` that change how a message is to be read."""

TRACES = {
    "gap": "numbers that no row bears",
    "trailing-gap": "numbers that were given after the last row",
    "deleted-guid": "an identifier on the device's list of deletions",
    "dangling-join": "a link between rows of which one is gone",
    "dangling-reference": "a message that names another one which is gone",
    "unreferenced-file": "an attachment file that no row names",
    "recoverable-part": "a part of a message kept for recovery",
}

GLOSSARY = (
    ("account", "An address (telephone number or e-mail) in the messages. Who used it is not told by the data."),
    ("backup", "What Finder or iTunes copied from the device: logical data, not an image of its whole storage."),
    ("chat", "Apple's word for one row of conversation. One conversation may be spread over several chats."),
    ("domain", "Apple's name for a part of the device's files in a backup, such as HomeDomain."),
    ("fileID", "The name under which a backup stores a file: a SHA-1 of its domain and path."),
    ("GUID", "An identifier that Apple gives to a message; usually the same on both ends of an iMessage."),
    ("handle", "Apple's word for the address of another account: a telephone number or an e-mail address."),
    ("iMessage, SMS, RCS", "The service that carried the message."),
    ("orphan", "Something whose counterpart is gone: content without an index line, a message without a chat."),
    ("row", "One entry of a table in a database; its number (rowid) is given wherever a fact is shown."),
    ("SHA-256", "A digest of a file's bytes. Equal digests show that two copies are identical."),
    ("tapback", "A reaction to a message, such as a heart or a thumb."),
    ("WAL", "The write-ahead log: newer pages of a database that are not yet merged into its main file."),
)
