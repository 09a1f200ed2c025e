"""Sealed Newton and its twin in the clear."""
