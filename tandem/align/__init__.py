"""Alignment by oblivious hashing."""
