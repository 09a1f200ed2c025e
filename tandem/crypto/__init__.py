"""Groups, oblivious hashing, Paillier with known factors, slots: values in, values out."""
