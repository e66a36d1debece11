"""A split of a data set comes from a saved one, a clone, a file or a hub, or one line says why not."""

from pathlib import Path

import pytest

from pipeline.fetching import hub
from pipeline.fetching.sources import fetch_dataset
from tests.helpers.sample_sources import (
    LFS,
    read_folder,
    refusal,
    write_folder,
)


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


def test_splits_whose_names_only_begin_so_are_not_mixed(tmp_path: Path, target: Path) -> None:
    names = ("train_2020", "train_all", "test_2020", "validation_2020")
    clone = write_folder(tmp_path / "clone", {f"data/{n}-00000-of-00001.parquet": n.encode() for n in names})
    message = refusal(lambda: fetch_dataset(str(clone), "train", target))
    assert "has several splits whose names begin with train (train_2020, train_all); fetch it, and" in message
    fetch_dataset(str(clone), "test", target.parent / "test")
    assert list(read_folder(target.parent / "test").values()) == [b"test_2020"]
    write_folder(clone, {"data/train-00000-of-00001-abcdef.parquet": b"train"})
    fetch_dataset(str(clone), "train", target)
    assert list(read_folder(target).values()) == [b"train"]


def test_a_folder_whose_names_tell_no_split_is_the_split(tmp_path: Path, target: Path) -> None:
    folder = write_folder(tmp_path / "scores", {"part-0.parquet": b"0", "part-1.parquet": b"1"})
    fetch_dataset(str(folder), "train", target)
    assert sorted(read_folder(target).values()) == [b"0", b"1"]


def test_files_of_one_name_in_several_folders_all_arrive(tmp_path: Path, target: Path) -> None:
    folder = write_folder(tmp_path / "set", {"2019/0000.parquet": b"19", "2020/0000.parquet": b"20"})
    fetch_dataset(str(folder), "train", target)
    assert sorted(read_folder(target).values()) == [b"19", b"20"]
