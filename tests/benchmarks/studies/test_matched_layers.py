"""Hidden states and attention relations of student and teacher are compared as the papers say."""

from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks.studies.initial_layers import start_from
from benchmarks.studies.matched_layers import MatchedHiddenStates, MatchedRelations, layers_of
from pipeline.chain import LinearChain
from pipeline.encoding.batching import Batch, Batches
from pipeline.encoding.split_file import load
from pipeline.errors import UserError
from pipeline.model.chain_tagger import ChainTagger
from pipeline.params import load_params
from pipeline.training.loss import gold_loss
from tests.helpers import tiny_inputs
from tests.helpers.params_cases import ROOT
from tests.helpers.tiny_encoders import write_encoder


def test_layers_that_share_their_weights_are_refused(tmp_path: Path) -> None:
    encoder = write_encoder(tmp_path / "encoder", "albert", num_hidden_layers=3)
    encoded = tiny_inputs.write_corpus(tmp_path / "encoded", encoder)
    model = ChainTagger.from_encoder(encoder, load(encoded / "train.parquet"))
    with pytest.raises(UserError, match="layers are in no list"):
        layers_of(model.encoder)


Pair = tuple[ChainTagger, ChainTagger, Batch]


@pytest.fixture
def pair(data: Path) -> Pair:
    """A student with the first two of its teacher's layers, the teacher, and sentences of several lengths."""
    batch = Batches(load(data / "encoded/train.parquet"), 5).collate(torch.arange(5))
    student = start_from(data / "teacher", [0, 1], load_params(ROOT / "params.yaml").student)
    return student.eval(), ChainTagger.load(data / "teacher").eval(), batch


def test_the_difference_of_hidden_states_is_that_of_the_paired_layers(pair: Pair) -> None:
    """Against the hidden states that `transformers` itself gives."""
    student, teacher, batch = pair
    loss = MatchedHiddenStates(gold_loss, student, teacher, lambda step: 2.0 + step, nullcontext)
    found = loss(student.chain(batch), batch, 1)
    given = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
    ours, theirs = (
        one.encoder(**given, output_hidden_states=True).hidden_states[1:] for one in (student, teacher)
    )
    mask = batch.attention_mask.bool()
    wanted = sum((ours[a][mask] - theirs[b][mask]).square().mean() for a, b in ((0, 1), (1, 3)))
    torch.testing.assert_close(found, gold_loss(student.chain(batch), batch, 1) + 3.0 * wanted)
    assert wanted.item() > 0
    found.mean().backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_the_difference_of_relations_is_that_of_the_last_layers(pair: Pair) -> None:
    """Against a loop over sentences and heads without any padding."""
    student, teacher, batch = pair
    loss = MatchedRelations(no_loss, student, teacher, lambda step: 2.0 + step, nullcontext)
    found = loss(student.chain(batch), batch, 1)
    before = [
        one.encoder(
            input_ids=batch.input_ids, attention_mask=batch.attention_mask, output_hidden_states=True
        ).hidden_states[-2]
        for one in (student, teacher)
    ]
    heads = teacher.encoder.config.num_attention_heads
    wanted, pieces = torch.zeros(()), 0
    for sentence, length in enumerate(batch.attention_mask.sum(1).tolist()):
        pieces += length
        for name in ("query", "key", "value"):
            for head in range(heads):
                ours, theirs = (
                    relation_of(
                        layers_of(one.encoder)[-1].get_submodule(f"attention.self.{name}")(
                            states[sentence, :length]
                        ),
                        head,
                        heads,
                    )
                    for one, states in zip((student, teacher), before, strict=True)
                )
                wanted = wanted + torch.nn.functional.kl_div(ours.log(), theirs, reduction="sum") / heads
    torch.testing.assert_close(found, (3.0 * wanted / pieces).expand_as(found))
    assert wanted.item() > 0
    found.mean().backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())


def no_loss(chain: LinearChain, batch: Batch, step: int) -> Tensor:
    return torch.zeros(len(batch.lengths))


def relation_of(projected: Tensor, head: int, heads: int) -> Tensor:
    """A head's relation [P, P] of a sentence's queries, keys or values [P, H]."""
    width = projected.shape[-1] // heads
    own = projected[:, head * width : (head + 1) * width]
    return (own @ own.T / width**0.5).softmax(-1)


def test_layers_without_queries_keys_and_values_are_refused(tmp_path: Path) -> None:
    encoder = write_encoder(tmp_path / "encoder", "distilbert")
    encoded = tiny_inputs.write_corpus(tmp_path / "encoded", encoder)
    model = ChainTagger.from_encoder(encoder, load(encoded / "train.parquet"))
    with pytest.raises(UserError, match="distilbert: its layers have no query, key and value"):
        MatchedRelations(gold_loss, model, model, lambda step: 1.0, nullcontext)
