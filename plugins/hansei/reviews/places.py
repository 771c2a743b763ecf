"""Places of the archive: folders of this machine, or prefixes of an object storage (fsspec by universal-pathlib).

Both answer to the same few methods of `pathlib.Path`. A file appears whole or not at all in either: on disk by a
rename, in an object storage because an object shows only once its upload is complete.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TypeAlias

from upath import UPath

from hansei.errors import SettingsError

Place: TypeAlias = Path | UPath

# Drivers are installed by those who use them; each brings a cloud's whole client.
_DRIVERS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "abfs": "azure", "abfss": "azure", "az": "azure"}


def place_of(text: Path | UPath | str) -> Place:
    """The place that a path or a URL names. Raises SettingsError where no driver for its scheme is installed."""
    if not isinstance(text, str):
        return text
    scheme, is_url, rest = text.partition("://")
    if not is_url:
        return Path(text)
    if scheme == "file":
        return Path(rest)
    try:
        # What another process wrote a moment ago has to be seen: no listing is remembered.
        place = UPath(text, use_listings_cache=False)
        _ = place.fs
    except (ImportError, ValueError) as error:
        if isinstance(error, ValueError) and scheme in _DRIVERS:
            found, next_step = f"this {scheme}:// URL cannot be read", "write it as scheme://bucket/prefix"
        elif scheme in _DRIVERS:
            found = f"no driver for {scheme}:// is installed"
            next_step = f"pip install '.[{_DRIVERS[scheme]}]' in Hansei's folder"
        else:
            found, next_step = f"scheme {scheme!r} is not known", "use a path, file://, s3://, gs:// or abfs://"
        raise SettingsError("HANSEI_ARCHIVE", found, next_step) from None
    return place


def write_atomically(place: Place, content: str | bytes) -> None:
    """The file whole or not at all, also under kill -9."""
    encoded = content.encode() if isinstance(content, str) else content
    if isinstance(place, Path):
        _replace(place, encoded)
    else:
        place.write_bytes(encoded)


def _replace(path: Path, content: bytes) -> None:
    """A temporary neighbour, flushed, then renamed over the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
