"""Training without the embeddings of word pieces that a run never reads.

Such an embedding gets no gradient: AdamW only shrinks it, by the same factor as every other one. Many
pieces of a vocabulary do not occur in a corpus, and most weights of a small student are embeddings (68 % of
those of MiniLM's first 3 layers). Without them the gradient, its norm, the optimiser's step and a checkpoint
are smaller.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.model.replace_modules import replace_modules


class SomeEmbeddings(nn.Embedding):
    """The embeddings of some pieces; the ids that it takes are those of the whole vocabulary."""

    rows: Tensor

    def __init__(self, whole: nn.Embedding, used: Tensor) -> None:
        """Take the rows `used` [U], ascending, which include `padding_idx`, if there is one."""
        weight = whole.weight.detach()[used].clone()
        super().__init__(weight.shape[0], weight.shape[1], _weight=weight)
        rows = torch.full((whole.num_embeddings,), len(used))  # out of range: an id of no row is an error
        rows[used] = torch.arange(len(used))
        self.register_buffer("rows", rows, persistent=False)
        self.padding_idx = None if whole.padding_idx is None else int(rows[whole.padding_idx])

    def forward(self, ids: Tensor) -> Tensor:
        """Embeddings [..., H] of ids [...]."""
        return functional.embedding(self.rows[ids], self.weight, self.padding_idx)


def train_used_pieces(encoder: Any, pieces: Tensor) -> Callable[[float], None]:
    """Leave in the encoder only the embeddings of the `pieces`, and of those that it reads by itself.

    An encoder whose embeddings are not a plain table is left as it is. Where several modules share the table,
    as in T5, each of them gets the smaller one.

    Args:
        encoder: on the CPU.
        pieces: ids of all word pieces that it will read, each once.

    Returns:
        A function that puts the other embeddings back, multiplied by the number that it is given.
    """
    whole = encoder.get_input_embeddings()
    if type(whole) is not nn.Embedding:
        return lambda _: None
    tables = [module for module in encoder.modules() if getattr(module, "weight", None) is whole.weight]
    if any(type(table) is not nn.Embedding or table.max_norm is not None for table in tables):
        return lambda _: None
    used = torch.cat(
        [pieces.long(), torch.tensor(sorted(_special(encoder, whole)), dtype=torch.int64)]
    ).unique()
    some = SomeEmbeddings(whole, used)
    replace_modules(encoder, lambda module: some if module in tables else None)

    @torch.no_grad()
    def restore(share: float) -> None:
        whole.to(some.weight.device)
        whole.weight.mul_(share)
        whole.weight[used.to(some.weight.device)] = some.weight
        replace_modules(encoder, lambda module: whole if module is some else None)

    return restore


def _special(encoder: Any, whole: nn.Embedding) -> Iterable[int]:
    """The pieces that the encoder reads without being given them, such as its own padding."""
    named = encoder.config.to_dict().items()
    values = {value for name, value in named if name.endswith("_token_id") and type(value) is int}
    return {
        value
        for value in (*values, whole.padding_idx)
        if value is not None and 0 <= value < len(whole.weight)
    }
