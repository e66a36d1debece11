"""What is damaged on the disk is refused by its name, or makes no difference."""

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from pipeline.corpora.splits import read_splits
from pipeline.encoding.split_file import load
from pipeline.encoding.tokenization import load_tokenizer
from pipeline.errors import UserError
from pipeline.model.model_folder import load_model
from pipeline.params import load_params
from pipeline.scores.store import ScoreStore
from pipeline.storage.checkpoint import Checkpoint
from pipeline.storage.sealed_folder import check
from tests.helpers.forked_stages import Stages
from tests.helpers.workspace import COMMANDS, Workspace, place_of

FLIPS, TRUNCATIONS = 200, 60
FOLDERS = ("corpus", "encoder", "encoded", "text", "text_encoded", "teacher", "scores", "text_scores")
ASKED = ("further_teacher", "fold_teacher", "prepare_student")  # which read only where they are asked to
# `distill` reads folders of every kind, and refuses each as the other stages do.
INPUTS = [
    pytest.param(stage, name, marks=[pytest.mark.thorough] * (stage not in ("prepare", "text", "distill")))
    for stage, (read, _) in COMMANDS.items()
    if stage not in ASKED
    for name in read.values()
    if name in FOLDERS
]


def corpus(folder: Path) -> Any:
    check(folder)
    return read_splits(folder, load_params(folder.with_name("params.yaml")).corpus, folder.parent)


def encoder(folder: Path) -> Any:
    check(folder)
    weights = (folder / "model.safetensors").read_bytes()
    return weights, load_tokenizer(folder)("ba nerI")["input_ids"], (folder / "config.json").read_bytes()


def encoded(folder: Path) -> Any:
    check(folder)
    splits = [load(folder / f"{split}.parquet") for split in ("train", "dev", "test")]
    return [(split.tag_set, split.layout, split.pieces.in_memory().values.tolist()) for split in splits]


def teacher(folder: Path) -> Any:
    return save(load_model(folder).state_dict())


def scores(folder: Path) -> Any:
    store = ScoreStore.open(folder / "1" / "1")
    words, lengths = store.words(torch.arange(store.sentences))
    return store.origin, words.tolist(), lengths.tolist(), store.parameters.transitions.tolist()


def checkpoint(folder: Path) -> Any:
    saved = Checkpoint(folder).load()
    assert saved is not None
    return save(saved[0]), saved[1]


READERS: dict[str, Callable[[Path], Any]] = {
    reader.__name__: reader for reader in (corpus, encoder, encoded, teacher, scores, checkpoint)
}


def damages(files: list[Path], chance: random.Random) -> Iterator[tuple[Path, bytes]]:
    """A file, and what its bytes become."""
    for _ in range(FLIPS):
        file = chance.choice(files)
        flipped = bytearray(file.read_bytes())
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        yield file, bytes(flipped)
    for _ in range(TRUNCATIONS):
        file = chance.choice(files)
        whole = file.read_bytes()
        yield file, whole[: chance.choice((0, len(whole) - 1, chance.randrange(len(whole))))]


@pytest.mark.parametrize("name", READERS)
def test_flipped_bits_and_truncations(name: str, workspace: Workspace, tmp_path: Path) -> None:
    """A seal without its last newline is the same seal."""
    folder = tmp_path / name
    if name == "checkpoint":
        weights = load_model(workspace.root / "teacher").state_dict()
        Checkpoint(folder).save(weights, {"step": 3, "loss": 0.1, "history": []})
    else:
        shutil.copytree(workspace.root / name, folder)
        shutil.copy(workspace.root / "params.yaml", tmp_path)
    read = READERS[name]
    wanted = read(folder)
    refused = 0
    for file, damaged in damages([path for path in folder.rglob("*") if path.is_file()], random.Random(0)):
        whole = file.read_bytes()
        file.write_bytes(damaged)
        try:
            same, why = read(folder) == wanted, str(file)
        except UserError as error:
            same, why = True, str(error)
            refused += 1
        assert same, file
        assert str(file) in why
        file.write_bytes(whole)
    assert refused > (FLIPS + TRUNCATIONS) * 0.9
    assert read(folder) == wanted


@pytest.mark.parametrize(("stage", "name"), INPUTS)
def test_a_stage_refuses_each_damaged_file_that_it_was_given(
    stages: Stages, workspace: Workspace, stage: str, name: str, tmp_path: Path
) -> None:
    """A file of the same length, one bit of it another."""
    own = Workspace(tmp_path / "inputs")
    shutil.copytree(workspace.root, own.root)
    place = tmp_path / "place"
    place.mkdir()
    for file in sorted(path for path in (own.root / name).rglob("*") if path.is_file()):
        whole = file.read_bytes()
        file.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
        ended = stages.run(stage, *own.arguments(stage), place=place)
        file.write_bytes(whole)
        line = ended.err.splitlines()[-1]
        assert (ended.status, "Traceback" in ended.err) == (2, False), (file, ended.err)
        assert line.startswith(f"error: {file}: ")
        assert not place_of(stage, place / "out").exists()
