"""Where a party's table comes from: CSV, Parquet, DuckDB or PostgreSQL, read as one declared schema says.

Every source hands over cells of text, NULL as the empty cell, in chunks of rows; `cells` makes columns of them. So the same data give the
same `Table`, bit for bit, wherever they lie, and an integer identifier never passes through a float.
"""
