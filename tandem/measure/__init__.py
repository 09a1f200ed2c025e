"""Measuring a campaign by the telco's segments, with nobody's group or outcome told. Import the role you play from its own module."""
