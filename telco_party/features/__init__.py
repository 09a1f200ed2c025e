"""Variables of a subscriber, one SQL file a family: its stages (rows of raw records) and its entries (one a variable, over a stage)."""
