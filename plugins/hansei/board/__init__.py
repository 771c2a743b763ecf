"""The store that people touch: reviews, their parts and the events of the board.

It lives apart from the warehouse, so that a page never waits for the night and the night never for a page.
"""

from hansei.board.reviews import (
    Edition,
    Part,
    StoredReview,
    erase_part,
    list_reviews,
    load_parts,
    load_review,
    mirror_rows,
    publish_review,
    published_periods,
    record_event,
    salt_of,
    save_review,
)
from hansei.board.store import BoardError, open_board, opened_board, writing

open = open_board  # reads as `board.open(settings)`, like `warehouse.open()`

__all__ = [
    "BoardError",
    "Edition",
    "Part",
    "StoredReview",
    "erase_part",
    "list_reviews",
    "load_parts",
    "load_review",
    "mirror_rows",
    "open",
    "open_board",
    "opened_board",
    "publish_review",
    "published_periods",
    "record_event",
    "salt_of",
    "save_review",
    "writing",
]
