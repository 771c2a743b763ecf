"""The warehouse: opening it, its dialects, rendered models, and publication in one transaction."""

from hansei.warehouse.engine import Warehouse
from hansei.warehouse.opening import kept_open, open_read_copy, open_warehouse

__all__ = ["Warehouse", "kept_open", "open_read_copy", "open_warehouse"]
