"""Match, coverage, weight of evidence and information value, from totals alone."""
