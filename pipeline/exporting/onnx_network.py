"""A tagger's encoder and emission layer (with a projection before it, where there is one) in ONNX."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from pipeline.errors import UserError, first_line
from pipeline.model.chain_tagger import ChainTagger

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # or ONNX Runtime reports its use to Microsoft
import onnxruntime

INPUTS, OUTPUT = ("input_ids", "attention_mask"), "emissions"
OPSET = 20
_TRACED = (2, 8)  # rows and pieces of the inputs that the network is traced with
_TRIED = ((1, 3), (3, 21))  # and of those that it is tested with
_TOLERANCE = 1e-3  # of the largest emission


def emission_network(model: ChainTagger, name: Path) -> onnx.ModelProto:
    """The network of `model`, for any number of rows V and pieces P.

    input_ids, attention_mask [V, P] int64 → emissions [V, P, N] float32, of which only those at words' first
    pieces are defined.

    Raises:
        UserError: the encoder (of the folder `name`) cannot be exported, or the result differs.
    """
    kind = model.encoder.config.model_type
    if model.conversion is not None:
        raise UserError(
            f"{name}: has labels in {model.conversion.scheme}, whose conversion ONNX files cannot hold; "
            "export a student of it"
        )
    refused = f"{name}: an encoder of the kind {kind} cannot be exported to ONNX"
    network = _Emissions(model).eval()
    try:
        exported = _exported(network, model)
        agrees = _agrees(exported, network, model)
    except Exception as error:  # exporter and runtime raise errors of several libraries
        # torch's own message is advice to its developers; its cause holds the reason.
        raise UserError(
            f"{refused} ({first_line(error.__cause__ or error)}); choose another encoder"
        ) from None
    if not agrees:
        raise UserError(f"{refused}: the exported network gives different results; choose another encoder")
    for node in exported.graph.node:
        del node.metadata_props[:]  # the lines of source code, with this machine's paths
    return exported


def _exported(network: nn.Module, model: ChainTagger) -> onnx.ModelProto:
    """The network in ONNX, traced with a small input."""
    # From an earlier export, torch remembers an LSTM of fixed sizes in place of the one that takes any.
    torch.ops.aten.lstm.input._dispatch_cache.clear()
    window = model.config.input_layout["window"]
    rows, pieces = torch.export.Dim("rows"), torch.export.Dim("pieces", max=window)
    with _quiet():
        program = torch.onnx.export(
            network,
            _inputs(model, *_TRACED),
            input_names=INPUTS,
            output_names=[OUTPUT],
            dynamic_shapes=[{0: rows, 1: pieces}] * 2,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None  # it is, with dynamo
    exported: onnx.ModelProto = program.model_proto
    _any_size(exported.graph)
    return exported


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what the exporter warns of, logs and prints, whole graphs among it."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(action="ignore"), redirect_stderr(StringIO()):
            yield
    finally:
        logging.disable(before)


def _any_size(graph: onnx.GraphProto) -> None:
    """Declare rows and pieces of the output free, and no sizes between: an LSTM has those of its example."""
    del graph.value_info[:]
    for dimension, size in zip(graph.output[0].type.tensor_type.shape.dim, ("rows", "pieces"), strict=False):
        dimension.dim_param = size


class _Emissions(nn.Module):
    def __init__(self, model: ChainTagger) -> None:
        super().__init__()
        self.encoder = model.encoder
        layers = (model.projection, model.emission)
        self.head = nn.Sequential(*(layer for layer in layers if layer is not None))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        emissions: Tensor = self.head(hidden)
        return emissions


def _inputs(model: ChainTagger, rows: int, pieces: int) -> tuple[Tensor, Tensor]:
    """Pieces drawn at random; the second row is shorter than the others by one."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(model.encoder.config.vocab_size, (rows, pieces), generator=generator)
    mask = torch.ones_like(ids)
    if rows > 1:
        ids[1, -1], mask[1, -1] = model.config.input_layout["pad"], 0
    return ids, mask


@torch.inference_mode()
def _agrees(exported: onnx.ModelProto, network: nn.Module, model: ChainTagger) -> bool:
    """Whether ONNX Runtime gives the network's emissions, for inputs of other sizes than the traced one."""
    session = onnxruntime.InferenceSession(exported.SerializeToString(), providers=["CPUExecutionProvider"])
    window = model.config.input_layout["window"]
    for rows, pieces in _TRIED:
        ids, mask = _inputs(model, rows, min(pieces, window))
        expected = network(ids, mask).numpy()
        (found,) = session.run([OUTPUT], dict(zip(INPUTS, (ids.numpy(), mask.numpy()), strict=True)))
        real = mask.bool().numpy()
        if not np.abs(found - expected)[real].max() <= _TOLERANCE * np.abs(expected[real]).max():
            return False
    return True
