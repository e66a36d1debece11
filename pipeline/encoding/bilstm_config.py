"""The configuration of the students that are BiLSTMs; their network is in `model.bilstm`."""

from typing import Any

from transformers import PreTrainedConfig


class BiLSTMConfig(PreTrainedConfig):
    """The shape of the network.

    vocab_size: word pieces.
    embedding_size: dimension of a piece's embedding.
    hidden_size: dimension of a hidden state; a direction has half of it.
    num_hidden_layers: LSTM layers.
    dropout: of the embeddings.
    """

    model_type = "bilstm"

    def __init__(
        self,
        vocab_size: int = 1,
        embedding_size: int = 2,
        hidden_size: int = 2,
        num_hidden_layers: int = 1,
        dropout: float = 0.1,
        **rest: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.embedding_size = embedding_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.dropout = dropout
        super().__init__(**rest)
