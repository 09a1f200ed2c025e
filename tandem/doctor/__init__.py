"""`tandem doctor`: what is wrong between two machines, and what to do about it."""
