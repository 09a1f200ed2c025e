"""Fixtures with one defence taken out, on which an attack must succeed. They live here alone; no setting reaches them."""
