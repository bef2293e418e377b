"""Containers of bytes that the index and the property lists are written in."""
