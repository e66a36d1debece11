"""What benchmarks and studies read: the folders that the pipeline makes, tiny."""

from pathlib import Path

import pytest

from pipeline.encoding.split_file import load
from pipeline.model.model_folder import save_model
from pipeline.storage.sealed_folder import new_folder
from tests.helpers import tiny_inputs
from tests.helpers.tiny_encoders import write_encoder

EMPTY = (
    "imported_scores",
    "student_encoded",
    "student_encoder",
    "scoring_teachers/further/1",
    "scoring_teachers/fold/1",
)


@pytest.fixture(scope="package")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder, a corpus, its teacher of four layers with its scores, and a student of two."""
    root = tmp_path_factory.mktemp("data")
    encoder = write_encoder(root / "encoder", "bert", num_hidden_layers=4)
    encoded = load(tiny_inputs.write_corpus(root / "encoded", encoder) / "train.parquet")
    for name, layers in (("teacher", 4), ("student", 2)):
        save_model(
            root / name, tiny_inputs.tagger(encoder, encoded, layers=layers), encoder, tiny_inputs.HISTORY
        )
    tiny_inputs.dump(root / "scores/1/1", root / "encoded", root / "teacher")
    for name in EMPTY:
        with new_folder(root / name):
            pass
    return root
