"""Every message of a chat.db with imessage-reader's public interface, as JSON Lines.

    python peer_imessage_reader.py CHAT_DB

It gives no rowids, and no messages without a handle.
"""

from __future__ import annotations

import json
import sys

from imessage_reader.fetch_data import FetchData

for handle, text, date, service, account, is_from_me in FetchData(sys.argv[1]).get_messages():
    line = {"handle": handle, "text": text, "date": date, "service": service, "account": account, "own": is_from_me}
    sys.stdout.write(json.dumps(line) + "\n")
