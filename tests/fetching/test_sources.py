"""Files arrive checked and whole, or not at all, and one line says why."""

import gzip
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.fetching import checks
from pipeline.fetching.sources import fetch_dataset, fetch_encoder, fetch_file
from tests.helpers.sample_sources import (
    ENCODER,
    LFS,
    read_folder,
    refusal,
    serve,
    write_folder,
)

TEXT = b"word O\n" * 999
MD5 = f"md5:{hashlib.md5(TEXT).hexdigest()}"
SHA256 = f"sha256:{hashlib.sha256(TEXT).hexdigest()}"
WEIGHTS = "model.safetensors"


@pytest.mark.parametrize("checksum", [None, MD5, SHA256])
@pytest.mark.parametrize("packed", [False, True])
def test_a_path(tmp_path: Path, target: Path, checksum: str | None, packed: bool) -> None:
    source = tmp_path / "source.gz"
    source.write_bytes(gzip.compress(TEXT) if packed else TEXT)
    fetch_file(str(source), target, checksum=checksum)
    assert read_folder(target.parent) == {"train.txt": TEXT}


def test_a_relative_path_and_a_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("source").write_bytes(TEXT)
    fetch_file("source", Path("new/folder/train.txt"))
    assert Path("new/folder/train.txt").read_bytes() == TEXT


def test_an_address(target: Path) -> None:
    with serve({"/a/train.txt.gz": gzip.compress(TEXT)}) as address:
        fetch_file(f"{address}/a/train.txt.gz", target, checksum=MD5)
    assert read_folder(target.parent) == {"train.txt": TEXT}


@pytest.mark.parametrize("name", ["train.txt", "train.txt.gz"])
@pytest.mark.parametrize("source", ["https://unreachable.invalid/a/train.txt.gz?x=1", "no/such/train.txt.gz"])
def test_the_mirror_comes_first(tmp_path: Path, target: Path, source: str, name: str) -> None:
    mirror = write_folder(tmp_path / "mirror", {name: gzip.compress(TEXT) if name.endswith("gz") else TEXT})
    fetch_file(source, target, checksum=SHA256, mirror=mirror)
    assert read_folder(target.parent) == {"train.txt": TEXT}


def test_a_mirror_may_pack_what_the_address_does_not(tmp_path: Path, target: Path) -> None:
    mirror = write_folder(tmp_path / "mirror", {"eng.train.gz": gzip.compress(TEXT)})
    fetch_file("https://unreachable.invalid/eng.train", target, mirror=mirror)
    assert target.read_bytes() == TEXT


def test_a_mirror_without_the_file_is_passed_over(tmp_path: Path, target: Path) -> None:
    with serve({"/train.txt": TEXT}) as address:
        fetch_file(f"{address}/train.txt", target, mirror=tmp_path / "none")
    assert target.read_bytes() == TEXT


def test_a_wrong_checksum_gives_both_and_leaves_the_old_file(tmp_path: Path, target: Path) -> None:
    target.write_bytes(b"old")
    mirror = write_folder(tmp_path / "mirror", {"train.txt": TEXT + b"\n"})
    message = refusal(
        lambda: fetch_file("https://unreachable.invalid/train.txt", target, checksum=MD5, mirror=mirror)
    )
    actual = hashlib.md5(TEXT + b"\n").hexdigest()
    assert message.startswith(f"{mirror / 'train.txt'}: md5 is {actual}, but {MD5[4:]} is expected")
    assert read_folder(target.parent) == {"train.txt": b"old"}


@pytest.mark.parametrize("checksum", ["md5:12", "sha1:" + 40 * "0", 32 * "0", "MD5:" + 32 * "0", ""])
def test_a_checksum_of_no_known_kind(target: Path, checksum: str) -> None:
    message = refusal(lambda: fetch_file("x", target, checksum=checksum))
    assert message.startswith(f"checksum: {checksum!r} is neither")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("file:///etc/passwd", "file:///etc/passwd: is not an https address"),
        ("file:/etc/passwd", "file:/etc/passwd: is not an https address"),
        ("http://example.com/x", "http://example.com/x: is not an https address"),
        ("pypi:name==1", "pypi:name==1: is not an https address"),
        ("no/such/file", "no/such/file: there is no such file; check it, or put file into DIR/<corpus>"),
        ("~nobody-here/x", "~nobody-here/x: there is no such home folder"),
        (".", ".: is a folder; name its files"),
        ("", "'': is not a source"),
        ("a\0b", r"'a\x00b': is not a source"),
        ("~\0", r"'~\x00': is not a source"),
        ("~\x1f", r"'~\x1f': is not a source"),
    ],
)
def test_sources_that_are_none(target: Path, source: str, says: str) -> None:
    assert refusal(lambda: fetch_file(source, target)).startswith(says)
    assert not read_folder(target.parent)


@pytest.mark.parametrize("name", ["a\u202fb", "می\u200cخواهم", "ක්\u200dෂ", "a\u3000b"])
def test_a_path_that_exists_may_have_letters_that_do_not_show(
    tmp_path: Path, target: Path, name: str
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / f"{name}.parquet").write_bytes(TEXT)
    fetch_file(str(tmp_path / name / f"{name}.parquet"), target)
    fetch_dataset(str(tmp_path / name), "train", tmp_path / "set")
    assert read_folder(tmp_path / "set") == {f"{name}.parquet": TEXT}
    message = refusal(lambda: fetch_file(f"none-{name}", target))
    assert message.startswith(f"{f'none-{name}'!r}: is not a source")


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[2Jb", os.fsdecode(b"a\xff"), "a\u2028b"])
def test_a_path_that_would_spoil_a_message_is_to_be_renamed(tmp_path: Path, target: Path, name: str) -> None:
    (tmp_path / name).write_bytes(TEXT)
    message = refusal(lambda: fetch_file(str(tmp_path / name), target))
    assert message.endswith(": has control characters or bytes of another encoding in its name; rename it")


@pytest.mark.parametrize("kind", ["pipe", "link to a pipe", "standard input", "device"])
def test_what_is_no_regular_file_is_not_said_to_be_missing(tmp_path: Path, target: Path, kind: str) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    if kind == "link to a pipe":
        (tmp_path / "link").symlink_to(path)
        path = tmp_path / "link"
    reading, writing = os.pipe()
    source = {"standard input": f"/dev/fd/{reading}", "device": os.devnull}.get(kind, str(path))
    says = f"{source}: is a pipe or a device; save what it gives as a file, and name that"
    for fetch in (
        lambda: fetch_file(source, target),
        lambda: fetch_dataset(source, "train", target),
        lambda: fetch_encoder(source, target),
    ):
        assert refusal(fetch) == says
    os.close(reading)
    os.close(writing)


def test_a_copy_of_the_project_for_an_experiment_is_told_of(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / ".dvc/tmp/exps/standalone/tmpx"
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    message = refusal(lambda: fetch_file("data/own/mine/train.conll", target))
    assert message.startswith(
        "data/own/mine/train.conll: there is no such file; this copy of the project has"
    )
    assert message.endswith("name the file's folder with --copy-paths")


def test_what_to_do_when_an_address_does_not_answer(tmp_path: Path, target: Path) -> None:
    with serve({}) as address:
        message = refusal(lambda: fetch_file(f"{address}/a/train.txt.gz", target))
        assert message.startswith(f"{address}/a/train.txt.gz: answers 404 ")
        assert message.endswith("put train.txt into DIR/<corpus> and set CORPUS_MIRROR=DIR")
        message = refusal(lambda: fetch_file(f"{address}/train.txt", target, mirror=tmp_path))
        assert message.endswith(f"put train.txt into {tmp_path}")
    assert refusal(lambda: fetch_file(f"{address}/x", target)).startswith(f"{address}/x: cannot be reached")
    assert not read_folder(target.parent)


def test_damaged_gzip_leaves_nothing(tmp_path: Path, target: Path) -> None:
    (tmp_path / "x.gz").write_bytes(gzip.compress(TEXT)[:-5])
    message = refusal(lambda: fetch_file(str(tmp_path / "x.gz"), target))
    assert message.startswith(f"{tmp_path / 'x.gz'}: damaged archive")
    assert not read_folder(target.parent)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<!DOCTYPE html>\n<title>Sign in", "is a web page (HTML), not the file"),
        (b"\xef\xbb\xbf\n <!-- saved --> <HTML lang=en>", "is a web page (HTML)"),
        (gzip.compress(TEXT, mtime=0), "is gzip data inside gzip data; unpack it once"),
        (b"PK\x03\x04 and so on", "is a zip archive; unzip it"),
        (LFS, "is a Git LFS pointer, not the file; run `git lfs pull`"),
    ],
)
@pytest.mark.parametrize("place", ["path", "address", "mirror"])
def test_contents_that_are_not_the_file(
    tmp_path: Path, target: Path, content: bytes, says: str, place: str
) -> None:
    folder = write_folder(tmp_path / "folder", {"x.gz": gzip.compress(content)})
    with serve({"/x.gz": gzip.compress(content)}) as address:
        source = str(folder / "x.gz") if place == "path" else f"{address}/x.gz"
        mirror = folder if place == "mirror" else None
        message = refusal(lambda: fetch_file(source, target, mirror=mirror))
    assert message.startswith(f"{folder / 'x.gz' if place == 'mirror' else source}: {says}")
    assert not read_folder(target.parent)


def test_more_than_the_most(tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "LARGEST", len(TEXT))
    source = write_folder(
        tmp_path / "source", {"x": TEXT, "more": TEXT + b"\n", "more.gz": gzip.compress(TEXT + b"\n")}
    )
    fetch_file(str(source / "x"), target)
    target.unlink()
    for name in ("more", "more.gz"):
        message = refusal(lambda name=name: fetch_file(str(source / name), target))  # type: ignore[misc]
        assert message.startswith(f"{source / name}: has more than ")
    monkeypatch.setattr(checks, "LARGEST", 99)
    for fetch in (fetch_encoder, lambda source, target: fetch_dataset(source, "train", target)):
        write_folder(source, {**ENCODER, "state.json": TEXT})
        assert "the most that is fetched" in refusal(lambda fetch=fetch: fetch(str(source), target))  # type: ignore[misc]


def test_the_mode_of_files_is_the_usual_one(tmp_path: Path, target: Path) -> None:
    source = write_folder(tmp_path / "source", {**ENCODER, "state.json": b"{}"})
    for file in source.iterdir():
        file.chmod(0o400)
    fetch_file(str(source / "vocab.txt"), target)
    fetch_encoder(str(source), target.parent / "encoder")
    fetch_dataset(str(source), "train", target.parent / "dataset")
    (tmp_path / "usual").touch()
    modes = {file.stat().st_mode for file in target.parent.rglob("*") if file.is_file()}
    assert modes == {(tmp_path / "usual").stat().st_mode}


def test_no_message_tells_a_password(target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hidden = "https://user:secret@127.0.0.1:9/x?sig=abc"
    calls = (
        lambda: fetch_file(hidden, target),
        lambda: fetch_file(hidden.replace("https", "http"), target),
        lambda: fetch_file(hidden.replace("https", "ftp"), target),
        lambda: fetch_encoder(hidden, target),
        lambda: fetch_dataset(hidden, "train", target),
    )
    for call in calls:
        message = refusal(call)
        assert "://127.0.0.1:9/x?…: " in message
        assert "secret" not in message + capsys.readouterr().err
        assert "abc" not in message


def run_with_little_disk(code: str) -> str:
    """Run code in a process whose files end at 64 KiB, which the system reports as it does a full disk."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))"
    names = "pathlib import Path", "pipeline.errors import UserError", "pipeline.fetching.sources import *"
    setup = "; ".join(f"from {name}" for name in names)
    body = "".join(f"\n    {line}" for line in code.splitlines())
    program = f"{limit}\n{setup}\ntry:{body}\nexcept UserError as error:\n    print(error)"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root
    )
    return done.stdout


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, target: Path) -> None:
    target.write_bytes(b"old")
    (tmp_path / "big").write_bytes(bytes(200_000))
    message = run_with_little_disk(f"fetch_file({str(tmp_path / 'big')!r}, Path({str(target)!r}))")
    assert message.startswith(f"{target}: cannot be read or written (File too large); free space")
    assert message.count("\n") == 1
    assert read_folder(target.parent) == {"train.txt": b"old"}


def test_a_full_disk_while_an_encoder_is_copied(tmp_path: Path, target: Path) -> None:
    source = write_folder(tmp_path / "encoder", {**ENCODER, WEIGHTS: bytes(200_000)})
    message = run_with_little_disk(f"fetch_encoder({str(source)!r}, Path({str(target)!r}))")
    assert message.startswith(f"{target}: cannot be read or written (File too large)")
