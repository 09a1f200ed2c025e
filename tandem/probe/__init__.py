"""The probe: two nodes greet each other under a contract and measure the way between them, before any study."""
