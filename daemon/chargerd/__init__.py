"""chargerd: charges each car by its ready-by time at the lowest price, and says honestly when it cannot."""

__version__ = "0.1.0"
