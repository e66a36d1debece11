"""What was damaged in a folder after it was sealed is refused by name."""

import json
import random
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.storage.sealed_folder import SEAL, check, identity
from tests.storage.test_sealed_folder import CONTENT, read, write


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
    "seal",
    [
        *(b"[]", b"1", b"null", b'{"files": []}', b'{"sha256": 1, "files": {"a.txt": 2}}', b"\xff"),
        b'{"sha256": "", "files": ["a.txt"]}',
        b'{"files": ' + b"[" * 100_000,
    ],
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
