"""Evidence in: everything up to a readable, hashed working copy. The only room that opens the backup."""
