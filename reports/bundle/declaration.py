"""bagit.txt: what makes a folder a bag (RFC 8493, section 2.1.1)."""

from __future__ import annotations

NAME = "bagit.txt"
TEXT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
"""What bagtag writes, byte for byte."""
