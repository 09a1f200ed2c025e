"""Named attacks, one a file. An attack reads views and public parameters, or bends what a cheating party says; the truth is not here.

What it is tried on, what scores it, and the gate it must meet stand in `attacked`; a test holds these files to what they may import.
"""
