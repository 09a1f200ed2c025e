"""The party that holds subscribers and their behaviour."""
