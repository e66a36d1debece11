"""A folder is whole or absent, whatever stops its writer."""

import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.storage import commit
from pipeline.storage.sealed_folder import SEAL, check, identity, new_folder, sha256

CONTENT = {"a.txt": b"one\n", "sub/b.bin": bytes(range(40)), "sub/seal.json": b"{}"}


def write(path: Path, content: dict[str, bytes] = CONTENT) -> Path:
    with new_folder(path) as aside:
        fill(aside, content)
    return path


def fill(path: Path, content: dict[str, bytes]) -> None:
    for name, data in content.items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_bytes(data)


def read(path: Path) -> dict[str, bytes]:
    return {name: (path / name).read_bytes() for name in check(path)}


def beside(path: Path) -> list[str]:
    return sorted(p.name for p in path.parent.iterdir())


def test_check_returns_the_checksums_of_what_was_written(tmp_path: Path) -> None:
    path = write(tmp_path / "deep" / "out")
    assert check(path) == {name: hashlib.sha256(data).hexdigest() for name, data in CONTENT.items()}
    assert sha256(path / "a.txt") == hashlib.sha256(CONTENT["a.txt"]).hexdigest()
    assert beside(path) == ["out"]


def test_identity_names_the_content_alone(tmp_path: Path) -> None:
    one, same = write(tmp_path / "one"), write(tmp_path / "same")
    other = write(tmp_path / "other", {**CONTENT, "a.txt": b"two\n"})
    renamed = write(tmp_path / "renamed", {"A.txt": CONTENT["a.txt"]})
    assert identity(one) == identity(same)
    assert len({identity(one), identity(other), identity(renamed)}) == 3


@pytest.mark.parametrize("swaps", [True, False])
def test_a_new_folder_replaces_the_old_one_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swaps: bool
) -> None:
    if not swaps:
        monkeypatch.setattr(commit, "_swap", lambda one, other: False)
    path = write(tmp_path / "out")
    write(path, {"c.txt": b"new"})
    assert read(path) == {"c.txt": b"new"}
    assert beside(path) == ["out"]


def test_a_folder_that_is_removed_while_it_is_written_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "out")

    def fail() -> None:
        with new_folder(path) as aside:
            aside.rmdir()

    with pytest.raises(UserError, match=r"out: was removed while it was being written; run again"):
        fail()
    assert read(path) == CONTENT


def test_an_unfinished_folder_that_is_there_must_be_removed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match=r"out: not a finished output .*; remove .*out and run `dvc repro`"):
        check(tmp_path / "out")
    with pytest.raises(UserError, match=r"gone: not a finished output .*; run `dvc repro`"):
        check(tmp_path / "gone")


@pytest.mark.parametrize("name", ["a.txt", "sub/b.bin", SEAL])
def test_a_file_without_permission_is_not_to_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Permissions themselves would not stop root, who may run the tests."""
    path = write(tmp_path / "out")
    opened = Path.open

    def denied(file: Path, *arguments: Any, **options: Any) -> Any:
        if file == path / name:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
        return opened(file, *arguments, **options)

    monkeypatch.setattr(Path, "open", denied)
    for read in (check, identity) if name == SEAL else (check,):
        with pytest.raises(UserError) as caught:
            read(path)
        assert (
            str(caught.value) == f"{path / name}: cannot be read (Permission denied); change its permissions"
        )


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, FileNotFoundError])
def test_when_the_block_raises_the_old_folder_stays(tmp_path: Path, error: type[BaseException]) -> None:
    path = write(tmp_path / "out")

    def fail() -> None:
        with new_folder(path) as aside:
            (aside / "half").write_bytes(b"h")
            raise error

    with pytest.raises(error):
        fail()
    assert read(path) == CONTENT
    assert beside(path) == ["out"]


def test_a_full_disk_is_one_line_and_the_old_folder_stays(tmp_path: Path) -> None:
    path = write(tmp_path / "out")

    def fail() -> None:
        with new_folder(path) as aside, Path("/dev/full").open("wb", buffering=0) as full:
            (aside / "half").write_bytes(b"h")
            full.write(b"more than fits")

    with pytest.raises(UserError, match=r"out: cannot be written \(No space left on device\)"):
        fail()
    assert read(path) == CONTENT
    assert beside(path) == ["out"]


def test_libraries_that_only_tell_of_a_full_disk_in_words(tmp_path: Path) -> None:
    """As safetensors and tokenizers do; anything else that they raise stays what it is."""
    path = write(tmp_path / "out")

    def fail(text: str) -> None:
        with new_folder(path):
            raise RuntimeError(text)

    with pytest.raises(UserError, match=r"out: cannot be written \(No space left on device\)"):
        fail(f"I/O error: No space (os error {errno.ENOSPC})")
    for text in (f"No such file (os error {errno.ENOENT})", "anything"):
        with pytest.raises(RuntimeError):
            fail(text)
    assert read(path) == CONTENT


def test_a_disk_too_full_for_the_seal_leaves_the_old_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "out")

    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(commit, "_sync", full)
    with pytest.raises(UserError, match="No space left"):
        write(path, {"c.txt": b"new"})
    assert read(path) == CONTENT


def test_a_place_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for path in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(UserError, match="cannot be written"):
            write(path)
        with pytest.raises(UserError, match="not a finished output"):
            check(path)
        with pytest.raises(UserError, match="not a finished output"):
            identity(path)
    assert (tmp_path / "file").read_bytes() == b"x"


KILLED = """
import os, sys
from pathlib import Path
from pipeline.storage import commit, sealed_folder
from tests.storage.test_sealed_folder import write, read, CONTENT

root, swaps = Path(sys.argv[1]), sys.argv[2] == "True"
if not swaps:
    commit._swap = lambda one, other: False
NEW = {"c.txt": b"new", "d/e.txt": b"newer"}
write(root / "warm", NEW)  # everything imported and opened once
event = 0
while True:
    event += 1
    path = root / f"out{event}"
    write(path)
    child = os.fork()
    if child == 0:
        seen = 0
        def die(name, arguments):
            global seen
            seen += name.startswith(("open", "os.", "shutil.", "ctypes.dlsym"))
            if seen == event:
                os._exit(9)
        sys.addaudithook(die)
        write(path, NEW)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not swaps:
        try:  # a later writer, which then fails, first puts things right
            with sealed_folder.new_folder(path):
                raise KeyError
        except KeyError:
            pass
        assert not path.with_name(f".{path.name}.new").exists()
    print({str(NEW): "new", str(CONTENT): "old"}[str(read(path))])
    if code == 0:
        break
"""


@pytest.mark.parametrize("swaps", [True, False])
def test_a_writer_killed_at_any_system_call_leaves_the_old_or_the_new_folder(
    tmp_path: Path, swaps: bool
) -> None:
    """The writer dies before its first, second, … operation on files, until it gets through."""
    if swaps and not commit._swap(write(tmp_path / "one"), write(tmp_path / "other")):
        pytest.skip("this file system cannot swap two names")
    run = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(swaps)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.returncode == 0, run.stderr
    found = run.stdout.split()
    assert len(found) > 15
    first_new = found.index("new")
    assert found == ["old"] * first_new + ["new"] * (len(found) - first_new)
    assert first_new > 8


def test_what_a_killed_writer_left_is_not_mixed_into_the_next(tmp_path: Path) -> None:
    path = tmp_path / "out"
    left = tmp_path / ".out.new"
    left.mkdir()
    (left / "stale").write_bytes(b"s")
    write(path)
    assert read(path) == CONTENT


@pytest.mark.parametrize("seal", [None, b"{}", b'{"files": 1}', b"\xff"])
@pytest.mark.parametrize("name", [".git/HEAD", "notes.md"])
def test_a_folder_with_files_of_others_is_never_replaced(
    tmp_path: Path, name: str, seal: bytes | None
) -> None:
    path = tmp_path / "out"
    (path / name).parent.mkdir(parents=True)
    (path / name).write_bytes(b"mine")
    if seal is not None:
        (path / SEAL).write_bytes(seal)
    with pytest.raises(UserError, match=f"out: holds {name}, which this project did not write"):
        write(path)
    assert (path / name).read_bytes() == b"mine"
    assert beside(path) == ["out"]


def test_a_file_added_to_a_sealed_folder_keeps_it_from_being_replaced(tmp_path: Path) -> None:
    """Also one that comes while the new folder is written, an empty folder and a link that leads nowhere."""
    path = write(tmp_path / "out")
    (path / "empty").mkdir()
    with pytest.raises(UserError, match="out: holds empty, which"):
        write(path, {"c.txt": b"new"})
    (path / "empty").rmdir()
    (path / "link").symlink_to("nowhere")
    with pytest.raises(UserError, match="out: holds link, which"):
        write(path, {"c.txt": b"new"})
    (path / "link").unlink()

    def add() -> None:
        with new_folder(path):
            (path / "late").write_bytes(b"mine")

    with pytest.raises(UserError, match="out: holds late, which"):
        add()
    assert (path / "late").read_bytes() == b"mine"
    (path / "late").unlink()
    assert read(path) == CONTENT


MODULES = {"tag.py": b"TAG = 1\n", "sub/more.py": b"MORE = 2\n"}


def test_a_folder_whose_modules_somebody_imported_is_replaced(tmp_path: Path) -> None:
    path = write(tmp_path / "out", MODULES)
    program = "import sys; sys.dont_write_bytecode = False; sys.path += sys.argv[1:]; import tag, more"
    for options in ([], ["-O"]):
        subprocess.run([sys.executable, *options, "-c", program, path, path / "sub"], check=True)
    assert len(list(path.rglob("__pycache__/*.pyc"))) == 4
    assert read(write(path)) == CONTENT


@pytest.mark.parametrize(
    "name",
    [
        "__pycache__/mine.cpython-311.pyc",
        "__pycache__/tag.txt",
        "__pycache__/sub/tag.cpython-311.pyc",
        "sub/__pycache__/tag.cpython-311.pyc",
        "tag.cpython-311.pyc",
    ],
)
def test_what_is_no_bytecode_of_its_modules_is_never_removed(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "out", MODULES)
    (path / name).parent.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(b"mine")
    with pytest.raises(UserError, match=f"out: holds {name}, which this project did not write"):
        write(path)
    assert (path / name).read_bytes() == b"mine"


def test_an_empty_folder_and_a_damaged_one_of_ours_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.mkdir()
    write(path)
    (path / "a.txt").unlink()
    (path / "sub" / "b.bin").write_bytes(b"")
    assert read(write(path)) == CONTENT


def test_behind_a_link_the_folder_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    link = tmp_path / "out"
    link.symlink_to("disk/real")
    for content in (CONTENT, {"c.txt": b"new"}, CONTENT):
        write(link, content)
        assert link.is_symlink()
        assert read(tmp_path / "disk" / "real") == content
        assert beside(link) == ["disk", "out"]
        assert beside(tmp_path / "disk" / "real") == ["real"]
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    with pytest.raises(UserError, match="loop: cannot be written"):
        write(loop)
    assert loop.is_symlink()


@pytest.mark.parametrize("name", ["", ".", "..", "../here", "../..", "sub/..", "/"])
def test_the_working_folder_is_never_replaced(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "sub").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UserError, match="is the working folder, or holds it; name another folder"):
        write(Path(name))
    assert beside(tmp_path / "here" / "sub") == ["sub"]


def test_modes_follow_the_umask_and_empty_folders_go(tmp_path: Path) -> None:
    """As safetensors writes its files for their owner alone."""
    before = os.umask(0o027)
    try:
        with new_folder(tmp_path / "out") as aside:
            fill(aside, CONTENT)
            (aside / "a.txt").chmod(0o600)
            (aside / "sub" / "b.bin").chmod(0o755)
            (aside / "empty" / "deeper").mkdir(parents=True)
    finally:
        os.umask(before)
    found = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in found} == {0o640}
    assert read(tmp_path / "out") == CONTENT
    (tmp_path / "out" / "empty").mkdir()
    with pytest.raises(UserError, match="empty: does not belong"):
        check(tmp_path / "out")
