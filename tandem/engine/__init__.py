"""Where heavy work runs: a loop or worker processes."""
