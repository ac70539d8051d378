"""Nouns: the values that pass from step to step. No I/O here."""
