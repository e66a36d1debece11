"""A folder is whole or absent, whatever stops its writer, and what was damaged afterwards is named."""

import errno
import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

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


def test_every_truncation_is_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "out")
    for name in [*CONTENT, SEAL]:
        whole = (path / name).read_bytes()
        for size in range(len(whole)):
            (path / name).write_bytes(whole[:size])
            if name == SEAL and size == len(whole) - 1:  # the last newline
                assert read(path) == CONTENT
                continue
            with pytest.raises(UserError, match=name):
                check(path)
        (path / name).write_bytes(whole)
    assert read(path) == CONTENT


def test_a_flipped_bit_is_harmless_or_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "out")
    files = [*CONTENT, SEAL]
    chance = random.Random(0)
    refused = 0
    for _ in range(400):
        name = chance.choice(files)
        whole = (path / name).read_bytes()
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        (path / name).write_bytes(flipped)
        try:
            same, why = read(path) == CONTENT, name
        except UserError as error:
            same, why = True, str(error)
            refused += 1
        assert same
        assert name in why
        (path / name).write_bytes(whole)
    assert refused > 300


@pytest.mark.parametrize(
    "seal", [b"[]", b"1", b"null", b'{"files": []}', b'{"sha256": 1, "files": {"a.txt": 2}}', b"\xff"]
)
def test_a_foreign_seal_is_refused(tmp_path: Path, seal: bytes) -> None:
    path = write(tmp_path / "out")
    (path / SEAL).write_bytes(seal)
    with pytest.raises(UserError, match=r"seal\.json: damaged"):
        check(path)


def test_a_missing_or_extra_file_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "out")
    for name in ("extra", "other/seal.json"):
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_bytes(b"")
        with pytest.raises(UserError, match=f"{name}: does not belong"):
            check(path)
        (path / name).unlink()
    (path / "sub" / "b.bin").unlink()
    with pytest.raises(UserError, match=r"sub/b\.bin: missing"):
        check(path)


def test_a_folder_without_seal_is_not_finished(tmp_path: Path) -> None:
    path = write(tmp_path / "out")
    (path / SEAL).unlink()
    for reader in (check, identity):
        with pytest.raises(UserError, match=r"out: not a finished output .*No such file"):
            reader(path)


def test_identity_refuses_a_damaged_seal(tmp_path: Path) -> None:
    path = write(tmp_path / "out")
    for seal in (b"", b"[]", b"{}", json.dumps({"sha": ""}).encode()):
        (path / SEAL).write_bytes(seal)
        with pytest.raises(UserError, match=r"seal\.json: damaged"):
            identity(path)
