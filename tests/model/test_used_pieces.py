"""Training with the embeddings of some pieces: the same hidden states; all weights are back afterwards."""

import pytest
import torch

from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load
from pipeline.model.bilstm import BiLSTM
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.encoder import load_encoder
from pipeline.model.used_pieces import SomeEmbeddings, train_used_pieces
from tests.helpers.tiny_encoders import KINDS, MORE_KINDS, write_encoder
from tests.helpers.tiny_inputs import write_corpus

OWN_TABLES = ("ibert",)
"""Kinds whose embeddings are no plain table."""


def pieces_of(batch):
    return batch.input_ids.unique()


@pytest.mark.parametrize("kind", [*KINDS, *MORE_KINDS])
def test_every_kind_of_encoder_computes_the_same(kind, tmp_path):
    encoder = write_encoder(tmp_path / "encoder", kind)
    split = load(write_corpus(tmp_path / "encoded", encoder) / "train.parquet")
    batch = Batches(split, 4).collate(torch.arange(4))
    model = ChainTagger.from_encoder(encoder, split).eval()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with torch.inference_mode():
        before = model.chain(batch).emissions
    restore = train_used_pieces(model.encoder, pieces_of(batch))
    some = model.encoder.get_input_embeddings()
    assert isinstance(some, SomeEmbeddings) == (kind not in OWN_TABLES)
    assert len(some.weight) < model.encoder.config.vocab_size or kind in OWN_TABLES
    with torch.inference_mode():
        assert torch.equal(model.chain(batch).emissions, before)
    restore(1.0)
    assert model.state_dict().keys() == state.keys()
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("kind", [*KINDS, *MORE_KINDS])
def test_what_every_kind_of_encoder_was_trained_to_comes_back(kind, tmp_path):
    """T5 looks pieces up by another module than the one that it names, with the same table."""
    encoder = load_encoder(write_encoder(tmp_path / "encoder", kind)).eval()
    ids = torch.tensor([[7, 8, 9, 8]])
    given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    restore = train_used_pieces(encoder, ids.unique())
    encoder(**given).last_hidden_state[..., 0].sum().backward()
    assert encoder.get_input_embeddings().weight.grad.any()
    with torch.no_grad():
        for parameter in encoder.parameters():
            if parameter.grad is not None:
                parameter.sub_(parameter.grad)
        trained = encoder(**given).last_hidden_state
        restore(0.5)
        assert torch.equal(encoder(**given).last_hidden_state, trained)


def test_a_piece_that_was_left_out_is_an_error(bert):
    encoder = load_encoder(bert)
    train_used_pieces(encoder, torch.tensor([7, 8]))
    assert encoder(input_ids=torch.tensor([[7, 8, 7]])).last_hidden_state.isfinite().all()
    with pytest.raises(IndexError):
        encoder(input_ids=torch.tensor([[7, 9]]))


def test_trained_rows_come_back_and_the_others_are_scaled(bert):
    encoder = load_encoder(bert)
    before = encoder.get_input_embeddings().weight.detach().clone()
    restore = train_used_pieces(encoder, torch.tensor([7, 8]))
    with torch.no_grad():
        encoder.get_input_embeddings().weight.add_(1)
    special = encoder.config.pad_token_id
    restore(0.5)
    after = encoder.get_input_embeddings().weight
    assert torch.equal(after[[7, 8, special]], before[[7, 8, special]] + 1)
    others = [
        row for row in range(len(before)) if row not in (7, 8) and (after[row] != before[row] + 1).any()
    ]
    assert len(others) >= len(before) - 8  # the encoder's own special pieces are few
    assert torch.equal(after[others], before[others] * 0.5)


def test_padding_gets_no_gradient_as_before(bert):
    encoder = load_encoder(bert).train()
    pad = encoder.config.pad_token_id
    train_used_pieces(encoder, torch.tensor([7]))
    encoder(input_ids=torch.tensor([[7, pad]])).last_hidden_state.square().sum().backward()
    some = encoder.get_input_embeddings()
    assert some.weight.grad[some.rows[7]].any()
    assert not some.weight.grad[some.rows[pad]].any()


def test_the_embeddings_of_a_bilstm_too(bert, corpus):
    split = load(corpus / "train.parquet")
    model = ChainTagger.from_embeddings(bert, split, width=4, hidden=4, layers=1)
    assert isinstance(model.encoder, BiLSTM)
    train_used_pieces(model.encoder, torch.tensor([7, 8]))
    assert len(model.encoder.embeddings.weight) < model.encoder.config.vocab_size


def test_a_table_that_is_no_plain_embedding_stays(bert):
    class Scaled(torch.nn.Embedding):
        """As of some encoders, which scale what they look up."""

    encoder = load_encoder(bert)
    table = encoder.get_input_embeddings()
    encoder.set_input_embeddings(Scaled(*table.weight.shape))
    restore = train_used_pieces(encoder, torch.tensor([7]))
    restore(0.5)
    assert type(encoder.get_input_embeddings()) is Scaled
