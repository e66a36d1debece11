"""A folder for what does not fit into memory while a stage works."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from pipeline.errors import UserError
from pipeline.storage.commit import NO_ROOM, system_error


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty folder where the system has temporary files; it goes with the block.

    Raises:
        UserError: there is no room for it, or for what the block writes there.
    """
    try:
        with TemporaryDirectory(prefix="distil-") as folder:
            yield Path(folder)
    except Exception as error:  # what an output lacks room for is a UserError already
        number = system_error(error)
        if number is None or number not in NO_ROOM:
            raise
        raise UserError(
            f"{gettempdir()}: has no room for temporary files ({os.strerror(number)}); free space, or set "
            "TMPDIR to a folder with more"
        ) from error
