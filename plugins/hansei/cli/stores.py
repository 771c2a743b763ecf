"""The board store as the settings of this process name it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa


@contextmanager
def opened_store() -> Iterator[sa.Engine]:
    """For as long as the block lasts; what opening needs is imported only then."""
    from hansei.board import opened_board
    from hansei.settings import load_settings

    with opened_board(load_settings()) as engine:
        yield engine
