"""Searches take the same way each time: what passes here passes on the next machine. ``make soak`` goes farther."""

from hypothesis import settings

settings.register_profile("everyday", derandomize=True, deadline=None, database=None)
settings.load_profile("everyday")
