"""Stages run in a folder with a user's own corpus: params.yaml, the commands, and a refusal in one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from stages import download, prepare

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(path.stem for path in (ROOT / "stages").glob("*.py") if "run(main)" in path.read_text())
TREE: dict[str, Any] = YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))
GOOD = b"Anna B-PER\nslept O\n\nRome B-LOC\nfell O\n\nIt O\nrained O\n"

Run = Callable[..., tuple[int, str, str]]


def write_params(encoder: str = "encoder", **corpus: Any) -> None:
    """params.yaml of a corpus `mine` in own/, with other settings for it."""
    files = {split: f"own/{split}.txt" for split in ("train", "dev", "test")}
    files |= corpus.pop("files", {})
    changes = {"task": "mine", "corpora": {"mine": {"files": files} | corpus}}
    changes |= {"teacher": TREE["teacher"] | {"encoder": encoder}, "prepare": {"window": 40, "overlap": 6}}
    with Path("params.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(TREE | changes, file)


def fetch(run: Run) -> tuple[int, str, str]:
    return run(download.main, "corpus", "--code", "code/download", "--out", "corpus")


def encode(run: Run) -> tuple[int, str, str]:
    options = ["--corpus", "corpus", "--encoder", "encoder", "--code", "code/prepare", "--out", "encoded"]
    return run(prepare.main, *options)


def one_line(result: tuple[int, str, str]) -> str:
    """The error, after a check that it is one, alone and without a traceback."""
    status, out, err = result
    lines = [line for line in err.splitlines() if not line.startswith(("fetching", "WARNING"))]
    assert (status, out) == (2, "")
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    return lines[0].removeprefix("error: ")


def there() -> set[str]:
    """What stands in the working folder, hidden things included."""
    return {path.name for path in Path().iterdir()} - {"own", "encoder", "code", "params.yaml"}
