"""Every message of a chat.db with imessage-chatdb's public interface, as JSON Lines. Python 3.12 or later.

    python peer_imessage_chatdb.py CHAT_DB

It is asked for 10,000 messages at a time, with their attachments and what they answer, and for the parts of each body.
"""

from __future__ import annotations

import contextlib
import json
import sys

import imessage_chatdb

with contextlib.closing(imessage_chatdb.open(sys.argv[1])) as database:
    reached = 0
    while found := database.messages_after(reached, limit=10_000, include_orphans=True):
        for message in found:
            line = {"rowid": message.rowid, "guid": message.guid, "text": message.text, "parts": len(message.parts)}
            sys.stdout.write(json.dumps(line) + "\n")
        reached = found[-1].rowid
