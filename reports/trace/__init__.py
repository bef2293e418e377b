"""A record's way back: record, row, file, stored blob, with every digest computed again."""
