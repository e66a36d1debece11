"""Scratch memory that outlives a call: fresh pages cost more than the arithmetic done in them."""

import math
import threading

import torch
from torch import Tensor

_pool = threading.local()


def scratch(name: str, shape: tuple[int, ...], like: Tensor, keep: bool = False) -> Tensor:
    """An uninitialised tensor of `shape`, with dtype and device of `like`.

    It is the same memory at every call with this `name` in this thread, so its content holds until then only;
    with `keep` it is memory of its own. On a GPU, where torch caches memory itself, it always is.
    """
    if keep or like.device.type != "cpu":
        return like.new_empty(shape)
    held: dict[tuple[str, torch.dtype], Tensor] = _pool.__dict__.setdefault("held", {})
    key, size = (name, like.dtype), math.prod(shape)
    if key not in held or len(held[key]) < size:
        with torch.inference_mode(False):  # a tensor made in inference mode could not be written to outside
            held[key] = torch.empty(size, dtype=like.dtype)
    return held[key][:size].view(shape)
