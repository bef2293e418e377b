"""Every message of a chat.db with imessagedb's public interface, as JSON Lines.

    python peer_imessagedb.py CHAT_DB

It reads one chat at a time. Its progress bars go to stderr.
"""

from __future__ import annotations

import contextlib
import json
import sys

import imessagedb

printed = sys.stdout
with contextlib.redirect_stdout(sys.stderr):
    database = imessagedb.DB(sys.argv[1])
    for rowid in sorted(database.chats.chat_list):
        for message in database.Messages("chat", "all", chat_id=rowid):
            line = {"rowid": message.rowid, "guid": message.guid, "date": message.date, "text": message.text}
            printed.write(json.dumps(line, default=str) + "\n")
    database.disconnect()
