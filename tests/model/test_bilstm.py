"""The BiLSTM: PyTorch's own on each input alone, whatever padding stands beside it."""

from pathlib import Path

import pytest
import torch
from torch import nn

from pipeline.encoding.split_file import load
from pipeline.errors import UserError
from pipeline.model.bilstm import BiLSTM, BiLSTMConfig
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.encoder import load_encoder
from pipeline.model.model_folder import load_model_and_tokenizer, save_model
from tests.helpers.tiny_inputs import HISTORY, same_bits, train_batches

SHAPE = {"width": 8, "hidden": 6, "layers": 2}


@pytest.fixture
def tagger(bert: Path, corpus: Path) -> ChainTagger:
    torch.manual_seed(0)
    return ChainTagger.from_embeddings(bert, load(corpus / "train.parquet"), **SHAPE).eval()


def test_it_is_pytorchs_bidirectional_lstm() -> None:
    torch.manual_seed(0)
    own = BiLSTM(BiLSTMConfig(50, 8, 12, 2)).eval()
    peer = nn.LSTM(8, 6, num_layers=2, bidirectional=True, batch_first=True)
    weights: dict[str, torch.Tensor] = {}
    for suffix, stack in (("", own.forwards), ("_reverse", own.backwards)):
        for layer, part in enumerate(stack):
            weights |= {f"{name[:-1]}{layer}{suffix}": value for name, value in part.state_dict().items()}
    peer.load_state_dict(weights)
    ids, lengths = torch.randint(50, (3, 9)), torch.tensor([9, 4, 1])
    mask = (torch.arange(9) < lengths[:, None]).long()
    with torch.inference_mode():
        found = own(ids, mask).last_hidden_state
        packed = nn.utils.rnn.pack_padded_sequence(
            own.embeddings(ids), lengths, batch_first=True, enforce_sorted=False
        )
        expected, _ = nn.utils.rnn.pad_packed_sequence(peer(packed)[0], batch_first=True)
    inside = mask.bool()
    torch.testing.assert_close(found[inside], expected[inside])


def test_embeddings_keep_what_the_principal_components_keep(
    bert: Path, corpus: Path, tagger: ChainTagger
) -> None:
    """With all components all distances stay, but for one scale."""
    given = load_encoder(bert).get_input_embeddings().weight.detach()
    width = given.shape[1]
    whole = ChainTagger.from_embeddings(bert, load(corpus / "train.parquet"), **(SHAPE | {"width": width}))
    found = whole.encoder.embeddings.weight.detach()
    ratio = torch.pdist(found) / torch.pdist(given)
    torch.testing.assert_close(ratio, ratio[:1].expand_as(ratio), rtol=1e-3, atol=0)
    some = tagger.encoder.embeddings.weight.detach()
    torch.testing.assert_close(some / some.norm(), found[:, :8] / found[:, :8].norm(), rtol=1e-3, atol=1e-5)


def test_a_width_beyond_the_embeddings_is_refused(bert: Path, corpus: Path) -> None:
    with pytest.raises(
        UserError, match=r"student\.bilstm\.width: 999 exceeds the embedding dimension .*at most \d+"
    ):
        ChainTagger.from_embeddings(bert, load(corpus / "train.parquet"), **(SHAPE | {"width": 999}))


def test_a_folder_gives_the_same_tagger_back(
    tagger: ChainTagger, bert: Path, corpus: Path, tmp_path: Path
) -> None:
    save_model(tmp_path / "model", tagger, bert, HISTORY)
    again, _ = load_model_and_tokenizer(tmp_path / "model")
    assert same_bits(tagger.state_dict(), again.state_dict())
    batches = train_batches(corpus)
    batch = batches.collate(torch.arange(4))
    assert torch.equal(tagger.chain(batch).emissions, again.chain(batch).emissions)


def test_what_is_new_learns_at_the_heads_rate(tagger: ChainTagger) -> None:
    head = {id(parameter) for parameter in tagger.head_parameters}
    slow = [name for name, parameter in tagger.named_parameters() if id(parameter) not in head]
    assert slow == ["encoder.embeddings.weight"]
