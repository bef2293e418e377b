"""Sample backups minted from nothing: a device that never was, with a story whose every fact is known.

Nothing in here reads a backup and nothing in here knows our reader: the evidence must not come from the code that
reads it. The facts of the formats are those an iPhone writes (key bag, Manifest.db, MBFile, sms.db, typedstream).
"""

from __future__ import annotations
