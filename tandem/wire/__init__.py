"""Messages as frozen dataclasses, and the one codec that turns them into canonical bytes and back."""
