"""Measured speed, as ratios inside one run."""
