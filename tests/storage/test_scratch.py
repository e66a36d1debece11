"""Temporary files go with the block, and a full disk is one line that says what to set."""

import errno
from tempfile import gettempdir

import pytest

from pipeline.errors import UserError
from pipeline.storage.scratch import scratch_folder


def test_the_folder_goes_with_the_block() -> None:
    with scratch_folder() as folder:
        (folder / "file").write_text("content")
    assert not folder.exists()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_one_line(error: Exception) -> None:
    with pytest.raises(UserError, match=f"{gettempdir()}: has no room for temporary files .*TMPDIR"):
        fail_with(error)


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "No such file"), RuntimeError("something else")])
def test_other_errors_pass(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        fail_with(error)
    assert raised.value is error


def fail_with(error: Exception) -> None:
    with scratch_folder():
        raise error
