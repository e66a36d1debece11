"""One process writes an output at a time, and only as long as a check allows it."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.storage.commit import reserved
from pipeline.storage.sealed_folder import check, new_folder
from pipeline.storage.text_file import write_text

ROOT = Path(__file__).parents[2]
WRITE = """
import sys
from pathlib import Path
from pipeline.errors import UserError
from pipeline.storage.sealed_folder import new_folder
try:
    with new_folder(Path(sys.argv[1])) as folder:
        (folder / "other").write_text("other")
except UserError as error:
    print(error)
"""


def another_process_writes(path: Path) -> str:
    command = [sys.executable, "-c", WRITE, str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def write(path: Path, name: str = "mine") -> None:
    with new_folder(path) as folder:
        (folder / name).write_text(name)


def allow() -> None:
    pass


def refuse() -> None:
    raise UserError("no")


def test_an_output_is_locked_from_start_to_commit(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    refused = f"{out}: another process is writing it; wait for it or stop it\n"
    with reserved(out, check=allow):
        assert another_process_writes(out) == refused
        write(out)
        assert another_process_writes(out) == refused
    assert set(check(out)) == {"mine"}
    assert another_process_writes(out) == ""
    assert set(check(out)) == {"other"}
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_two_writers_without_reservation_do_not_share_what_is_half_written(tmp_path: Path) -> None:
    with new_folder(tmp_path / "out") as folder:
        assert "another process is writing it" in another_process_writes(tmp_path / "out")
        (folder / "mine").write_text("mine")
    assert set(check(tmp_path / "out")) == {"mine"}


def test_a_link_and_the_folder_behind_it_have_one_lock(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("out")
    with reserved(tmp_path / "link", check=allow):
        assert "another process is writing it" in another_process_writes(tmp_path / "out")


def test_the_check_is_made_before_each_commit_to_a_reserved_place_alone(tmp_path: Path) -> None:
    write(tmp_path / "out", "old")
    with reserved(tmp_path / "out", tmp_path / "plots", check=refuse):
        with pytest.raises(UserError, match="no"):
            write(tmp_path / "out")
        with pytest.raises(UserError, match="no"):
            write_text(tmp_path / "plots" / "f1.csv", "x")
        write(tmp_path / "another")
    assert set(check(tmp_path / "out")) == {"old"}
    assert not (tmp_path / "plots").exists()
    write(tmp_path / "out")
    assert set(check(tmp_path / "out")) == {"mine"}
    assert {path.name for path in tmp_path.iterdir()} == {"out", "another"}


def test_what_cannot_be_locked_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file" / "out", tmp_path / ("x" * 250)):
        with pytest.raises(UserError, match="cannot be written"), reserved(path, check=allow):
            pass


def test_a_place_where_no_lock_file_can_be_made_has_no_other_writer() -> None:
    """FileLock waits there, as if the file had been removed by another process."""
    if not Path("/proc/self").exists():
        pytest.skip("needs /proc")
    with pytest.raises(UserError, match=r"^/proc/out: cannot be written \(.*; free space or change perm"):
        write(Path("/proc/out"))


def test_what_stands_in_the_way_is_told_apart_from_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / ".out.lock").mkdir()
    for path, there in ((tmp_path / "file" / "out", "file"), (tmp_path / "out", ".out.lock")):
        with (
            pytest.raises(UserError, match=rf"{there}\); move what is there away, and run again"),
            reserved(path, check=allow),
        ):
            pass
