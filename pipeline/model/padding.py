"""Whether inputs are padded, told to the encoder, so that no forward pass reads its mask from the device.

Where no input is padded, `transformers` leaves the mask out of scaled dot-product attention. To know that, it
reads the mask in every forward pass; whoever lays a batch out knows it before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import Tensor
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask

_unpadded: ContextVar[bool | None] = ContextVar("unpadded", default=None)


@contextmanager
def known_padding(unpadded: bool | None) -> Iterator[None]:
    """Tell encoders that run inside whether all inputs are unpadded; None: it is not known."""
    token = _unpadded.set(unpadded)
    try:
        yield
    finally:
        _unpadded.reset(token)


def known_mask(*, attention_mask: Tensor | None = None, **kwargs: Any) -> Tensor | None:
    """The mask of `transformers`, or None where none is needed."""
    unpadded = _unpadded.get()
    if unpadded:
        attention_mask = None
    elif unpadded is not None:
        kwargs["allow_is_bidirectional_skip"] = False
    mask: Tensor | None = sdpa_mask(attention_mask=attention_mask, **kwargs)
    return mask


# From here on all models of `transformers` in this process ask `known_mask`, which outside of `known_padding`
# answers as before.
ALL_MASK_ATTENTION_FUNCTIONS.register("sdpa", known_mask)
