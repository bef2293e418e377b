"""The index of a backup in every era: found, opened, and its records decoded."""
