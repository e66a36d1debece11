"""Hub ids lead to the right files of a fake hub, and its client's errors become one line."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import huggingface_hub
import pytest
from huggingface_hub.errors import RevisionNotFoundError
from huggingface_hub.utils import filter_repo_objects

from pipeline.errors import Interrupted, UserError
from pipeline.fetching import checks, hub
from tests.helpers.sample_sources import serve

Publish = Callable[..., Path]
COMMIT = 40 * "a"
KEPT = "vocab.txt"  # is in the cache already


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Publish a repository's files by revision; the client then finds these alone."""
    revisions: dict[tuple[str, str | None], tuple[str, ...]] = {}
    fetched: list[str] = []

    def files(repo: str, revision: str | None) -> tuple[str, ...]:
        if (repo, revision) not in revisions:
            if any(published == repo for published, _ in revisions):
                raise RevisionNotFoundError(f"404: no {revision} in {repo}", response=MagicMock())
            raise ValueError(f"404 for {repo}\nat {revision}")
        return revisions[repo, revision]

    def snapshot(
        repo: str, *, repo_type: str, revision: str | None, allow_patterns: list[str], dry_run: bool = False
    ) -> Any:
        folder = tmp_path / repo_type
        names = list(filter_repo_objects(files(repo, revision), allow_patterns=allow_patterns))
        if dry_run:
            return [
                SimpleNamespace(
                    filename=name, file_size=len(name), commit_hash=revision, will_download=name != KEPT
                )
                for name in names
            ]
        assert fetched == [name for name in names if name != KEPT]
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
        fetched.clear()
        return str(folder)

    def download(repo: str, name: str, *, repo_type: str, revision: str | None) -> str:
        assert name in files(repo, revision)
        fetched.append(name)
        return name

    def listing(self: Any, repo: str, *, repo_type: str, revision: str | None) -> list[str]:
        assert repo_type == "dataset"
        return list(files(repo, revision))

    def publish(repo: str, *names: str, revision: str | None = None) -> Path:
        revisions[repo, revision] = names
        return tmp_path

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(huggingface_hub.HfApi, "list_repo_files", listing)
    return publish


@pytest.mark.parametrize(
    ("source", "yes"),
    [
        ("bert-base-cased", True),
        ("google-bert/bert-base-cased", True),
        ("org/name@refs/pr/3", True),
        ("org/name/config@main", True),
        ("a/b/c/d", False),
        ("../x", False),
        ("org/name@", False),
        ("org/na me", False),
        ("", False),
        ("órg/name", False),
    ],
)
def test_what_reads_as_a_hub_id(source: str, yes: bool) -> None:
    assert hub.is_hub_id(source) is yes


def test_a_models_files_by_revision(publish: Publish) -> None:
    root = publish("org/name", "config.json", KEPT, "pytorch_model.bin", revision="v2")
    assert hub.model_files("org/name@v2", ["config.json", KEPT]) == root / "model"
    assert {file.name for file in (root / "model").iterdir()} == {"config.json", KEPT}


def split(source: str, name: str, root: Path) -> list[str]:
    return [str(file.relative_to(root / "dataset")) for file in hub.dataset_files(source, name)]


def test_the_parquet_files_of_a_split(publish: Publish) -> None:
    names = [
        f"data/{name}-0000{number}-of-00002.parquet" for name in ("train", "validation") for number in (1, 0)
    ]
    root = publish("org/name", "README.md", "data/constraint.parquet", "data/training.parquet", *names)
    assert split("org/name", "train", root) == names[1::-1]
    assert split("org/name", "dev", root) == names[:1:-1]
    with pytest.raises(UserError, match="org/name: "):
        hub.dataset_files("org/name", "test")


def test_configurations(publish: Publish) -> None:
    root = publish("org/name", "de/test.parquet", "en/test/0000.parquet")
    assert split("org/name/de", "test", root) == ["de/test.parquet"]
    assert split("org/name/en", "test", root) == ["en/test/0000.parquet"]
    with pytest.raises(UserError, match=r"several configurations \(de, en\)"):
        hub.dataset_files("org/name", "test")


def test_the_hubs_own_conversion_is_the_second_choice(publish: Publish) -> None:
    publish("org/name", "conll2003.py")
    root = publish("org/name", "conll2003/train/0000.parquet", revision=hub.CONVERTED)
    assert split("org/name", "train", root) == ["conll2003/train/0000.parquet"]
    publish("org/name", "conll2003.py", revision="v1")
    with pytest.raises(UserError, match="org/name@v1: has no Parquet files for the split train"):
        hub.dataset_files("org/name@v1", "train")


def test_a_data_set_that_the_hub_has_not_converted(publish: Publish) -> None:
    publish("org/private", "train.csv")
    with pytest.raises(UserError, match="org/private: has no Parquet files for the split train"):
        hub.dataset_files("org/private", "train")
    with pytest.raises(UserError, match=r"org/private@v9: neither a path here nor .* \(404: no v9"):
        hub.dataset_files("org/private@v9", "train")


def test_too_much_is_not_fetched(publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    root = publish("org/name", "config.json", "train.parquet", "pytorch_model.bin")
    monkeypatch.setattr(checks, "LARGEST", len("config.json"))
    hub.model_files("org/name", ["config.json"])
    with pytest.raises(UserError, match=r"^org/name: has more than .* the most that is fetched"):
        hub.dataset_files("org/name", "train")
    assert not (root / "dataset").exists()


def test_the_clients_errors_become_one_line(publish: Publish) -> None:
    with pytest.raises(
        UserError, match=r"^org/none: neither a path here nor a hub model .*404 for org/none at None"
    ):
        hub.model_files("org/none", ["config.json"])
    with pytest.raises(UserError, match=r"^org/none: neither a path here nor a hub data set"):
        hub.dataset_files("org/none", "train")
    with pytest.raises(UserError, match="org/name@revision"):
        hub.model_files("org/name/config", ["config.json"])


def test_a_signal_while_something_is_fetched_is_no_error_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise Interrupted(15)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", stopped)
    monkeypatch.setattr(huggingface_hub.HfApi, "list_repo_files", stopped)
    with pytest.raises(Interrupted):
        hub.model_files("org/name", ["config.json"])
    with pytest.raises(Interrupted):
        hub.dataset_files("org/name", "train")


@pytest.fixture
def pages() -> dict[str, bytes]:
    """The answers of a hub that has one model."""
    files = {"config.json": b"{}", "pytorch_model.bin": b"pickle", "vocab.txt": b"word"}
    described = {"id": "org/name", "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
    tree = [{"type": "file", "path": name, "size": len(files[name]), "oid": 40 * "b"} for name in files]
    return {
        **{f"/org/name/resolve/{COMMIT}/{name}": content for name, content in files.items()},
        "/api/models/org/name/revision/v2": json.dumps(described).encode(),
        f"/api/models/org/name/tree/{COMMIT}?recursive=true&expand=false": json.dumps(tree).encode(),
    }


def run_client(home: Path, program: str, **settings: str) -> str:
    """What a process prints that has only this cache and no proxy's exceptions."""
    environment = {**os.environ, "HF_HOME": str(home), **settings}
    for name in ("no_proxy", "NO_PROXY"):
        environment.pop(name, None)
    command, root = [sys.executable, "-c", program], Path(__file__).parents[2]
    return subprocess.check_output(command, env=environment, cwd=root, text=True, timeout=60)


def test_the_real_client_brings_a_model_without_the_proxy_and_keeps_it(
    pages: dict[str, bytes], tmp_path: Path
) -> None:
    call = "model_files('org/name@v2', ['*.json', '*.txt'])"
    program = f"from pipeline.fetching.hub import model_files\nprint(*{call}.iterdir())"

    def run(**settings: str) -> set[str]:
        return {Path(name).name for name in run_client(tmp_path, program, **settings).split()}

    with serve(pages, {}, {"X-Repo-Commit": COMMIT, "ETag": '"1"'}) as address, serve({}) as proxy:
        assert run(HF_ENDPOINT=address, http_proxy=proxy) == {"config.json", "vocab.txt"}
    assert run(HF_ENDPOINT=address, HF_HUB_OFFLINE="1") == {"config.json", "vocab.txt"}


SLOW = f"/org/name/resolve/{COMMIT}/config.json"
GIVEN_UP = """
from pipeline.errors import UserError
from pipeline.fetching import hub
hub.START = 1.0
try:
    hub.model_files("org/name@v2", ["*.json"])
except UserError as error:
    print(error)
"""


def test_a_hub_that_sends_byte_by_byte_is_given_up_and_the_process_ends(
    pages: dict[str, bytes], tmp_path: Path
) -> None:
    pages[SLOW] = bytes(3000)
    headers = {"X-Repo-Commit": COMMIT, "ETag": '"1"'}
    with serve(pages, {}, headers, slow=[SLOW]) as address:
        said = run_client(tmp_path, GIVEN_UP, HF_ENDPOINT=address)
    assert said.startswith(
        "org/name@v2: the hub has not sent config.json, 3,000 bytes, within 1 s; run again"
    )
