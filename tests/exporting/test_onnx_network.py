"""The exported network gives the emissions of PyTorch, for inputs of any size; what cannot is one line."""

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnx
import onnxruntime
import pytest
import torch

from pipeline.encoding.split_file import load
from pipeline.errors import UserError
from pipeline.exporting.onnx_network import INPUTS, OPSET, OUTPUT, emission_network
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.given_teacher import given_teacher
from tests.helpers.given_models import write_classifier
from tests.helpers.tiny_corpus import TAG_SET
from tests.helpers.tiny_encoders import POSITIONS
from tests.helpers.tiny_inputs import tagger

Exported = tuple[ChainTagger, onnx.ModelProto]
BROKEN = "def forward(...): a graph of 300 lines"


def bilstm(bert: Path, corpus: Path) -> ChainTagger:
    encoded = load(corpus / "train.parquet")
    return ChainTagger.from_embeddings(bert, encoded, width=4, hidden=4, layers=1).eval()


@pytest.fixture(scope="module")
def exported(bert: Path, corpus: Path) -> Callable[[str], Exported]:
    """A tagger of a kind with its network, made once."""
    made: dict[str, Exported] = {}

    def export(kind: str) -> Exported:
        if kind not in made:
            train = load(corpus / "train.parquet")
            model = bilstm(bert, corpus) if kind == "bilstm" else tagger(bert, train, layers=1)
            made[kind] = model, emission_network(model, bert)
        return made[kind]

    return export


def drawn(model: ChainTagger, rows: int, pieces: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random pieces, each row with a random number of them before the padding."""
    generator = torch.Generator().manual_seed(rows * 100 + pieces)
    ids = torch.randint(model.encoder.config.vocab_size, (rows, pieces), generator=generator)
    lengths = torch.randint(1, pieces + 1, (rows, 1), generator=generator)
    lengths[0] = pieces
    return ids, (torch.arange(pieces) < lengths).long()


@pytest.mark.parametrize("kind", ["bert", pytest.param("bilstm", marks=pytest.mark.thorough)])
def test_random_inputs_of_any_size_have_the_emissions_of_pytorch(
    exported: Callable[[str], Exported], kind: str
) -> None:
    model, network = exported(kind)
    session = onnxruntime.InferenceSession(network.SerializeToString(), providers=["CPUExecutionProvider"])
    for rows, pieces in ((1, 1), (1, 7), (2, 8), (5, 3), (9, POSITIONS)):
        ids, mask = drawn(model, rows, pieces)
        with torch.inference_mode():
            hidden = model.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            expected = hidden @ model.emission.weight.T + model.emission.bias
        (found,) = session.run([OUTPUT], dict(zip(INPUTS, (ids.numpy(), mask.numpy()), strict=True)))
        assert found.shape == (rows, pieces, len(TAG_SET))
        real = mask.bool()
        torch.testing.assert_close(torch.from_numpy(found)[real], expected[real], rtol=1e-4, atol=1e-5)


def test_the_network_says_what_it_takes_and_gives_and_nothing_of_this_machine(
    exported: Callable[[str], Exported],
) -> None:
    _, network = exported("bert")
    onnx.checker.check_model(network)
    types = {value.name: value.type.tensor_type for value in (*network.graph.input, *network.graph.output)}
    assert list(types) == [*INPUTS, OUTPUT]
    whole, real = onnx.TensorProto.INT64, onnx.TensorProto.FLOAT
    assert [one.elem_type for one in types.values()] == [whole, whole, real]
    for one in types.values():
        assert all(dimension.dim_param for dimension in one.shape.dim[:2])  # of any size
    assert types[OUTPUT].shape.dim[2].dim_value == len(TAG_SET)
    assert {one.domain: one.version for one in network.opset_import}[""] == OPSET
    assert str(Path(__file__).parents[2]).encode() not in network.SerializeToString()


def test_an_encoder_that_cannot_be_exported_is_one_line_and_nothing_else(
    bert: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cannot(*_: object, **__: object) -> None:
        print(BROKEN, file=sys.stderr)
        logging.getLogger("torch").error(BROKEN)
        raise RuntimeError("Next steps: modify the model") from ValueError("no operator\nfor this")

    monkeypatch.setattr("torch.onnx.export", cannot)
    with pytest.raises(UserError) as caught:
        emission_network(bilstm(bert, corpus), Path("the/model"))
    assert str(caught.value) == (
        "the/model: an encoder of the kind bilstm cannot be exported to ONNX (no operator); choose another "
        "encoder"
    )
    assert capsys.readouterr().err == ""
    assert logging.root.manager.disable == 0  # as before


def test_a_network_that_computes_something_else_is_refused(
    exported: Callable[[str], Exported], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, right = exported("bert")
    wrong = onnx.ModelProto()
    wrong.CopyFrom(right)
    bias = next(tensor for tensor in wrong.graph.initializer if tensor.name == "head.0.bias")
    bias.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(bias) + 0.1, bias.name))
    given: list[Any] = [wrong, right]
    monkeypatch.setattr("torch.onnx.export", lambda *_, **__: SimpleNamespace(model_proto=given.pop(0)))
    with pytest.raises(UserError, match=r"the exported network gives different results; choose another enc"):
        emission_network(model, Path("model"))
    assert emission_network(model, Path("model")) is right


def test_a_teacher_whose_labels_are_converted_is_refused_before_the_export(
    bert: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.onnx.export", lambda *_, **__: pytest.fail("exported first"))
    folder = write_classifier(tmp_path / "model", bert, ("B-LOC", "I-LOC", "I-PER", "O"))
    model, _ = given_teacher(folder, load(corpus / "train.parquet"), types={}, scheme=None)
    with pytest.raises(UserError) as caught:
        emission_network(model, folder)
    assert str(caught.value) == (
        f"{folder}: has labels in iob1, whose conversion ONNX files cannot hold; export a student of it"
    )
