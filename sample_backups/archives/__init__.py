"""A backup in a zip or tar, as it should be and as an attacker would have it."""
