"""One row after the other: its blob read once, hashed, decrypted, hashed again and written."""
