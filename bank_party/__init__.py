"""The party that holds customers, labels and the key."""
