"""Mutation testing of the pure core: small faults are put in one at a time, and the tests must notice each."""
