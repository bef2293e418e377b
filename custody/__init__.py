"""Who did what to which digest, when: the same log from the seizure to the archive."""
