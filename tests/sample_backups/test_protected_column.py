"""The encrypted column of iOS 10.0 against a vector made apart from this writer."""

from __future__ import annotations

from bagtag.sample_backups.protected_column import column_key, password_hash, sealed

PASSPHRASE = "kat-pässword"
SALT = bytes.fromhex("7d79c37dde88dabd79d68ad12a4d26c161ad875a349b6ac068600403aeab5a22")


def test_the_known_hash_key_and_column_come_out() -> None:
    known = "c54211d95b0683659f9a8f94b7245c27c273925fc25f6d283e61e4a711238c77"
    assert password_hash(PASSPHRASE, SALT).hex() == known
    assert column_key(PASSPHRASE, SALT).hex() == "a6ce6beba342b69cb59a2a45629db805"
    assert sealed(b"bplist00-stand-in", PASSPHRASE, SALT) == "Zc0mMnIbuaNDA9sVG1z4o0P4Czrv0CzWHMrm9kwRoxc="
