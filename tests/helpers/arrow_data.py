"""Data sets in the files and folders of the datasets library."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa


def write_stream(data: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, data.schema) as stream:
        stream.write_table(data)


def save_to_disk(folder: Path, *shards: pa.Table, features: Any, **state: Any) -> Path:
    """The layout that the datasets library's save_to_disk gives a split."""
    folder.mkdir()
    names = [f"data-{number:05}-of-{len(shards):05}.arrow" for number in range(len(shards))]
    for name, shard in zip(names, shards, strict=True):
        write_stream(shard, folder / name)
    listed = {"_data_files": [{"filename": name} for name in names], "_split": None, **state}
    (folder / "state.json").write_text(json.dumps(listed))
    (folder / "dataset_info.json").write_text(json.dumps({"features": features}))
    return folder
