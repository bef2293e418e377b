"""`bagtag custody`: what happened to an evidence folder, who says so, and whether the log of it holds."""
