"""A bidirectional LSTM over word-piece embeddings, in the place of a transformer (Wang et al., ACL 2020)."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from pipeline.encoding.bilstm_config import BiLSTMConfig


class BiLSTM(PreTrainedModel):
    """Hidden states [V, P, H] of V inputs of P pieces; padding stands behind an input and changes none."""

    config_class = BiLSTMConfig
    base_model_prefix = "encoder"

    def __init__(self, config: BiLSTMConfig) -> None:
        super().__init__(config)
        self.embeddings = nn.Embedding(config.vocab_size, config.embedding_size)
        self.dropout = nn.Dropout(config.dropout)
        sizes = [config.embedding_size] + [config.hidden_size] * (config.num_hidden_layers - 1)
        self.forwards, self.backwards = (
            nn.ModuleList(nn.LSTM(size, config.hidden_size // 2, batch_first=True) for size in sizes)
            for _ in range(2)
        )
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """The embeddings of word pieces."""
        return self.embeddings

    def forward(self, input_ids: Tensor, attention_mask: Tensor, **_: Any) -> BaseModelOutput:
        """Run both directions over every layer.

        Args:
            input_ids: [V, P].
            attention_mask: [V, P], 1 for the pieces of an input, which stand first, and 0 behind them.
        """
        hidden = self.dropout(self.embeddings(input_ids))
        turned = _reversal(attention_mask)
        with torch.autocast(hidden.device.type, enabled=False):
            for ahead, back in zip(self.forwards, self.backwards, strict=True):
                start = hidden.new_zeros(1, hidden.shape[0], self.config.hidden_size // 2)
                there, _ = ahead(hidden, (start, start))
                again, _ = back(hidden.flatten(0, 1)[turned], (start, start))
                hidden = torch.cat([there, again.flatten(0, 1)[turned]], -1)
        return BaseModelOutput(last_hidden_state=hidden)

    def start_from(self, embeddings: Tensor) -> None:
        """Embed each piece as the first principal components of `embeddings` [pieces, ≥ embedding_size].

        They are scaled to a root mean square of 1.
        """
        centred = embeddings.float() - embeddings.float().mean(0)
        _, _, directions = torch.linalg.svd(centred.T @ centred)
        own = centred @ directions[: self.config.embedding_size].T
        with torch.no_grad():
            self.embeddings.weight.copy_(own / own.square().mean().sqrt())

    @property
    def new_parameters(self) -> list[nn.Parameter]:
        """The weights that `start_from` leaves at random."""
        return [*self.forwards.parameters(), *self.backwards.parameters()]

    def _init_weights(self, module: nn.Module) -> None:
        """Leave each module's own initialisation."""


def _reversal(mask: Tensor) -> Tensor:
    """Which of the V·P pieces stands at each place [V, P] when every input, not its padding, is reversed."""
    places = torch.arange(mask.shape[1], device=mask.device)
    last = mask.sum(1, keepdim=True) - 1
    first = torch.arange(mask.shape[0], device=mask.device)[:, None] * mask.shape[1]
    return first + torch.where(places <= last, last - places, places)


AutoModel.register(BiLSTMConfig, BiLSTM)
