"""The processes of one run: which of them this is, and values that they combine.

A launcher starts them (see `stages.launch`); without one there is a single process, and nothing here costs
anything. A function that combines gives every process the same result, so all must call the same one at the
same point. If one of them has ended by then, the others raise ProcessLost.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.errors import ProcessLost

if TYPE_CHECKING:  # a stage that needs no torch reads only the environment
    from torch import Tensor, device, nn

_BUCKET = 25_000_000  # numbers that are sent together


def count() -> int:
    """How many processes the run has."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "LOCAL_RANK" in os.environ else 1


def rank() -> int:
    """The number of this process, from 0."""
    return int(os.environ["RANK"]) if count() > 1 else 0


def is_first() -> bool:
    """Whether this is process 0, the only one that writes, logs and shows progress."""
    return rank() == 0


def share(ids: "Tensor") -> tuple[int, "Tensor"]:
    """The share of this process in the sentences `ids` [B] of a batch: where it starts, and its ids.

    The shares of all processes make up the batch, in order; where sentences are too few, some are empty.
    """
    parts = ids.tensor_split(count())
    return sum(map(len, parts[: rank()])), parts[rank()]


def wait() -> None:
    """Go on when all processes have come here."""
    if count() > 1:
        import torch

        with _together():
            torch.distributed.barrier()


def leave() -> None:
    """End what connects this process with the others, when the work of all is done.

    One that fails must not: on GPUs all have to leave together, and the others may be waiting for it.
    """
    if count() > 1:
        import torch

        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def sum_gradients(parameters: "Sequence[nn.Parameter]") -> None:
    """Replace each gradient by its sum over the processes; all have gradients for the same parameters."""
    import torch

    bucket: list[Tensor] = []
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    for number, gradient in enumerate(gradients, 1):
        bucket.append(gradient)
        if number == len(gradients) or sum(one.numel() for one in bucket) >= _BUCKET:
            flat = summed(torch.cat([one.flatten() for one in bucket]))
            for one, total in zip(bucket, flat.split([one.numel() for one in bucket]), strict=True):
                one.copy_(total.view_as(one))
            bucket = []


def summed(values: "Tensor") -> "Tensor":
    """The sum of `values` over the processes; `values` hold it afterwards."""
    return _reduced(values, "sum")


def greatest(values: "Tensor") -> "Tensor":
    """The greatest of each of `values` over the processes; `values` hold it afterwards."""
    return _reduced(values, "max")


def of_first(value: float, device: "device") -> float:
    """The value that process 0 has."""
    if count() == 1:
        return value
    import torch

    return float(summed(torch.tensor(value if is_first() else 0.0, dtype=torch.float64, device=device)))


def _reduced(values: "Tensor", how: str) -> "Tensor":
    if count() > 1:
        import torch

        operations = {"sum": torch.distributed.ReduceOp.SUM, "max": torch.distributed.ReduceOp.MAX}
        with _together():
            torch.distributed.all_reduce(values, operations[how])
    return values


@contextmanager
def _together() -> Iterator[None]:
    import torch

    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:  # gloo raises nothing more precise when a connection closes
        raise ProcessLost(str(error).splitlines()[0]) from error
