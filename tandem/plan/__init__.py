"""What a study will take: seconds, bytes and memory, predicted before anything runs."""
