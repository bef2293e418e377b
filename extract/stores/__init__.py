"""Where a backup lies: a folder, or a zip or tar of one, read in place and only ever read."""
