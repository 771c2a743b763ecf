"""How many threads DuckDB gets: one while the file is small.

DuckDB shares work out by groups of 122,880 rows, so that in small tables a second thread finds little to do. While it
does it, the thread that asked waits without a pause, so that both cost CPU time. A larger file builds faster with two.
"""

from __future__ import annotations

from pathlib import Path

SMALL_BYTES = 64 * 1024**2


def is_small(file: Path) -> bool:
    """Whether a DuckDB file with its write-ahead log is so small that one thread serves it best."""
    parts = (file, file.with_name(f"{file.name}.wal"))
    return sum(part.stat().st_size for part in parts if part.exists()) < SMALL_BYTES
