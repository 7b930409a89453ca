"""The pure core: facts in, decisions out. No I/O, clock, randomness, logging or event loop in here."""
