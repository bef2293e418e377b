"""Evidence out: the evidence folder, and everything made from it."""
