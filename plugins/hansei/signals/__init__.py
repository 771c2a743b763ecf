"""Signals: numbers in, verdicts out. Nothing here reads a table."""
