"""A folder for what does not fit into memory while a stage works."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from pipeline.errors import UserError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty folder where the system has temporary files; it goes with the block.

    Raises:
        UserError: there is no room for it, or for what the block writes there.
    """
    try:
        with TemporaryDirectory(prefix="distil-") as folder:
            yield Path(folder)
    except OSError as error:  # what an output lacks room for is a UserError already
        if error.errno not in _NO_ROOM:
            raise
        why = os.strerror(error.errno)
        raise UserError(
            f"{gettempdir()}: has no room for temporary files ({why}); free space, or set TMPDIR to a folder "
            "with more"
        ) from error
