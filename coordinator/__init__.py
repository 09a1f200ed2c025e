"""The party that solves for the model and sees no row."""
