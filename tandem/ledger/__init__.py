"""What was sent, hash-chained, and what each message may disclose to whom."""
