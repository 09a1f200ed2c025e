"""Tandem: two parties align customers, train one model and score, while each row stays where it is or under its owner's key."""

__version__ = "0.1.0"
