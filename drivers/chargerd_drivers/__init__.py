"""Drivers: each translates one vendor protocol into events and commands, and knows only the contract."""
