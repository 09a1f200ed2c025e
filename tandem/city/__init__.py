"""Simulated people, for a machine that has no data yet."""
