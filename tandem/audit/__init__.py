"""Ledgers read by somebody who must be convinced: signed exports, ledgers held against each other, and a page of all that."""
