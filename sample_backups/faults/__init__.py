"""Faults: what can be wrong with a backup, each by its name."""
