"""Hansei: from tickets to checked numbers, honest signals and review documents."""

__version__ = "0.1.0"
