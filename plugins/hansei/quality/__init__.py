"""Validation of batches by Great Expectations, and the rows that wait in quarantine."""
