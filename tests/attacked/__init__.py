"""What attacks are tried on: views of real sessions, weak fixtures, scorers that hold the truth, the catalogue and its gates."""
