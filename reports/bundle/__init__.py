"""The evidence folder: made, sealed and verified. The one place of this room that sees a backup."""
