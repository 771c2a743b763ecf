"""Extraction: rows of a source as canonical, pseudonymised batches in the spool. Never sees the warehouse."""
