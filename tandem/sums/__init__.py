"""Sealed sums: rows are folded into the cells of the other side's table."""
