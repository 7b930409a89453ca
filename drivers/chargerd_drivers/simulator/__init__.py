"""Simulated chargers and cars that speak the real protocols, with believable physics and fault knobs."""
