"""Bytes to values: Apple's serialisations. Nothing here knows a database."""
