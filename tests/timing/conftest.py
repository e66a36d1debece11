"""What the tests of timing share: batches, a student and its settings, a device and a score store."""

from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model
from pipeline.scores.shards import ChainParameters, Origin
from pipeline.scores.store import ScoreStore
from pipeline.scores.write_store import write_scores
from pipeline.training.settings import Student
from tests.helpers.tiny_inputs import tagger, train_batches


@pytest.fixture(scope="session")
def student() -> Student:
    return Student(layers=1, epochs=2, batch_size=4, learning_rate=1e-3, head_learning_rate=1e-2)


@pytest.fixture
def batches(corpus: Path) -> Batches:
    return train_batches(corpus)


@pytest.fixture
def model(bert: Path, batches: Batches) -> ChainTagger:
    return tagger(bert, batches.encoded, layers=1, seed=1)


@pytest.fixture
def device() -> Accelerator:
    return accelerator("float32")


@pytest.fixture
def store(tmp_path: Path, teacher: Path, batches: Batches) -> ScoreStore:
    live, encoded = load_model(teacher), batches.encoded
    with torch.no_grad():
        chain = live.chain(batches.collate(torch.arange(len(encoded))))
    rows = torch.arange(len(encoded)), chain.lengths, chain.emissions[chain.mask]
    parameters = ChainParameters(*(p.detach() for p in (chain.transitions, chain.start, chain.end)))
    origin = Origin(live.tag_set.tags, "a teacher", "a corpus", encoded.layout.identity)
    write_scores(tmp_path / "scores", [rows], origin=origin, parameters=parameters, sentences=len(encoded))
    return ScoreStore.open(tmp_path / "scores", expect=origin)
