"""BERT-base's shape, with room for the corpus."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load
from pipeline.storage.sealed_folder import new_folder
from pipeline.timing.settings import TimeEpochs
from pipeline.timing.shapes import BERT_BASE_LAYERS, bert_base, timed_models
from pipeline.training.settings import Student
from tests.helpers.tiny_inputs import write_corpus


def test_bert_base_has_the_papers_shape_and_room_for_the_corpus(batches: Batches) -> None:
    with torch.device("meta"):
        live = bert_base(batches.encoded)
        student = bert_base(batches.encoded, layers=BERT_BASE_LAYERS, dropout=0.2)
    assert (live.encoder.config.num_hidden_layers, student.encoder.config.num_hidden_layers) == (12, 3)
    assert live.encoder.config.hidden_size == student.encoder.config.hidden_size == 768
    assert live.encoder.config.vocab_size == 30_522
    assert live.encoder.config.max_position_embeddings == 512
    assert student.dropout.p == 0.2
    assert live.tag_set == batches.encoded.tag_set


def test_bert_base_grows_to_a_larger_vocabulary(batches: Batches) -> None:
    pieces = batches.encoded.pieces.in_memory()
    pieces.values[0] = 40_000
    with torch.device("meta"):
        grown = bert_base(replace(batches.encoded, pieces=pieces), layers=1)
    assert grown.encoder.config.vocab_size == 40_001


def test_a_student_of_another_encoder_is_timed_whatever_its_methods_start_from(
    encoder: Callable[[str], Path], teacher: Path, tmp_path: Path
) -> None:
    with new_folder(tmp_path / "encoder") as folder:
        shutil.copytree(encoder("roberta"), folder, dirs_exist_ok=True)
    own = write_corpus(tmp_path / "encoded", tmp_path / "encoder")
    # `init` is of methods that do not set it, and there may be none.
    student = Student(
        encoder="own", layers=1, init="teacher", epochs=1, learning_rate=1e-3, head_learning_rate=1e-3
    )
    live, model = timed_models(
        TimeEpochs(), student, tmp_path / "encoder", teacher, load(own / "train.parquet")
    )
    assert live.encoder.config.model_type == "bert"
    assert model.encoder.config.model_type == "roberta"
