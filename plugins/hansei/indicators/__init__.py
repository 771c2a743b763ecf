"""Indicators: components counted in few scans, values divided last, restatements kept."""
