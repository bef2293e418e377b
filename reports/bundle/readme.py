"""README.txt of an evidence folder: how to check all of it with sha256sum, cmp and openssl alone.

It lies beside the bag. The `sealed` line names its sha256, so it is written before that line and cannot name the bag
digest. The same facts give the same bytes.
"""

from __future__ import annotations

import re
from importlib import resources

from bagtag.custody.examination import Examination
from bagtag.custody.line import Artifact

NAME = "README.txt"
_PLACE = re.compile(r"\{\{([A-Z]+)\}\}")


def render(examination: Examination, version: str, payload: Artifact, files: int, octets: int) -> bytes:
    """The page's bytes. `payload` is the manifest as `BagWriter.write_manifest` gave it, `version` bagtag's own."""
    facts = {
        "CASE": examination.case,
        "ITEM": examination.item,
        "VERSION": version,
        "PAYLOAD": payload.sha256,
        "FILES": str(files),
        "OCTETS": str(octets),
    }
    template = resources.files(__package__).joinpath(NAME).read_text("utf-8")
    return _PLACE.sub(lambda found: facts[found[1]], template).encode("utf-8")
