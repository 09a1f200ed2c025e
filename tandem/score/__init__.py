"""Blind scoring: points under seal, chosen by codes that stay at home."""
