"""Telling named columns of the people of a roster, in the clear."""
