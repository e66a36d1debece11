"""Students that cannot be made or trained are refused from the encoders' configurations and a trial."""

import json
import shutil

import pytest

from pipeline.distillation.registry import method_settings
from pipeline.errors import UserError
from pipeline.model.encoder import load_encoder
from pipeline.training import student_check as module
from pipeline.training.student_check import check_encoders, check_heads
from tests.helpers.given_models import write_classifier
from tests.helpers.tiny_corpus import TAG_SET
from tests.helpers.tiny_encoders import LAYERS, write_encoder


@pytest.fixture
def config_of(tmp_path):
    """A folder that has the configuration of an encoder and nothing else."""

    def folder(kind, **values):
        path = tmp_path / kind
        path.mkdir()
        (path / "config.json").write_text(json.dumps({"model_type": kind} | values))
        return path

    return folder


@pytest.fixture
def heads(corpus):
    """Checks the heads of a run whose students have their teacher's encoder."""

    def call(encoder, student="crf", teacher="crf", *, init="pretrained", method="kbest", imported=False):
        check_heads(
            {method: method_settings(method)(init=init)},
            student,
            teacher,
            ({}, None),
            encoder=encoder,
            student_encoder=encoder,
            encoded=corpus,
            imported=imported,
        )

    return call


def test_one_layer_more_than_the_teachers_head_has_is_refused_where_a_student_starts_from_it(
    config_of, heads
):
    modern, plain = config_of("modernbert"), config_of("bert")
    for student, teacher in (("softmax", "crf"), ("crf", "softmax")):
        with pytest.raises(UserError, match="needs the same head for teacher and student over modernbert"):
            heads(modern, student, teacher, init="teacher")
        heads(modern, student, teacher)
        heads(plain, student, teacher, init="teacher")
    heads(modern, "softmax", "softmax", init="teacher")


def test_a_softmax_head_that_no_classifier_has_over_the_encoder_is_refused(config_of, heads):
    reformer = config_of("reformer")
    heads(reformer, "crf")
    with pytest.raises(UserError, match="linear layer for reformer, which softmax needs; set crf"):
        heads(reformer, "softmax")


def test_a_method_that_matches_transitions_needs_students_that_have_them(config_of, heads):
    plain = config_of("bert")
    with pytest.raises(UserError, match=r"^student\.head: softmax has no transitions, which efficient match"):
        heads(plain, "softmax", method="efficient")
    heads(plain, "softmax", method="efficient", imported=True)  # scores from elsewhere have none
    heads(plain, "softmax", "softmax", method="efficient")
    heads(plain, "softmax", method="efficient_emission")
    heads(plain, "crf", method="efficient")


def test_a_start_from_an_existing_teacher_needs_the_tags_of_the_corpus(bert, heads, tmp_path):
    same = write_classifier(tmp_path / "same", bert, TAG_SET.tags[::-1])
    other = write_classifier(tmp_path / "other", bert, ("B-LOC", "I-LOC", "I-PER", "O"))
    for folder in (same, other):
        (folder / "model.safetensors").unlink()  # nothing is loaded
        heads(folder, "softmax", None)
    heads(same, "softmax", None, init="teacher")
    with pytest.raises(UserError, match="needs a teacher whose labels are the corpus's tags"):
        heads(other, "softmax", None, init="teacher")


def encoders(folder, network="transformer", layers=1, width=4, *, own=None, **precisions):
    """Check the encoder in `folder`, or the students' `own`; `precisions` are of teacher and student."""
    keys = {f"{name}.precision": precision for name, precision in precisions.items()}
    check_encoders((network, layers, width), keys, encoder=folder, student_encoder=own or folder)


def test_students_must_find_their_layers_and_embeddings_in_the_encoder(bert):
    encoders(bert, layers=LAYERS)
    with pytest.raises(UserError, match=rf"^student\.layers: {LAYERS + 1}, but .* has {LAYERS}; lower it$"):
        encoders(bert, layers=LAYERS + 1)
    encoders(bert, "bilstm", layers=LAYERS + 1)  # its layers are not the encoder's
    with pytest.raises(UserError, match=r"^student\.bilstm\.width: 999 exceeds the embedding dimension of"):
        encoders(bert, "bilstm", width=999)


def test_the_precision_is_tried_on_the_encoder_that_has_it(bert, tmp_path):
    deberta = write_encoder(tmp_path / "deberta", "deberta")
    encoders(deberta, own=bert, teacher="float32", student="bfloat16")
    encoders(bert, own=deberta, teacher="bfloat16", student="float32")
    with pytest.raises(
        UserError, match=r"^teacher\.precision: .* \(deberta\) cannot be computed in bfloat16"
    ):
        encoders(deberta, own=bert, teacher="bfloat16")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_each_encoder_is_loaded_once_and_the_teachers_only_to_be_tried(
    bert, monkeypatch, tmp_path, precision
):
    other = shutil.copytree(bert, tmp_path / "other")
    loaded = []

    def noted(folder):
        loaded.append(folder)
        return load_encoder(folder)

    monkeypatch.setattr(module, "load_encoder", noted)
    encoders(bert, teacher=precision)
    assert loaded == [bert]
    loaded.clear()
    encoders(bert, own=other, teacher=precision)
    assert loaded == ([other] if precision == "float32" else [other, bert])
