"""Typed definitions: what analysts, managers and engineers write in YAML, checked before anything runs."""

from hansei.catalog.loader import Catalog, load_catalog

__all__ = ["Catalog", "load_catalog"]
