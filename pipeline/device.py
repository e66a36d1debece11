"""Where and in which precision a run computes."""

import ctypes
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pipeline import processes
from pipeline.errors import UserError, counted
from pipeline.settings import Precision

if TYPE_CHECKING:
    from accelerate import Accelerator

M_MMAP_MAX, M_TRIM_THRESHOLD = -4, -1  # options of mallopt(3)


def best_device() -> torch.device:
    """The accelerator here, or the CPU, which also takes the place of Apple's MPS.

    The recursions of the chain need float64, which MPS has not.
    """
    keep_freed_memory()
    found = torch.accelerator.current_accelerator(check_available=True)
    return torch.device("cpu") if found is None or found.type == "mps" else found


def is_bfloat16(precision: Precision) -> bool:
    """Whether a run with this precision is computed in bfloat16 here."""
    return precision == "bfloat16" or (precision == "auto" and _is_fast_at_bfloat16())


def accelerator(precision: Precision) -> "Accelerator":
    """The best device here, with autocast to bfloat16 if asked for; "auto": if the device is fast at it.

    Where a launcher has started several processes, they are connected, and each gets a device of its own.

    Raises:
        UserError: the processes cannot be connected, or a machine has fewer GPUs than processes.
    """
    # Training needs it; tagging does not, and can be installed without.
    from accelerate import Accelerator
    from accelerate.utils import InitProcessGroupKwargs

    on_cpu = best_device().type == "cpu"
    kind = "bf16" if is_bfloat16(precision) else "no"
    if processes.count() == 1:
        return Accelerator(mixed_precision=kind, cpu=on_cpu)
    # A process that has died is noticed by the launcher; one that is at work longer than others is no error.
    patience = InitProcessGroupKwargs(timeout=timedelta(hours=2))
    found = Accelerator(mixed_precision=kind, cpu=on_cpu, kwargs_handlers=[patience])
    if found.num_processes != processes.count():
        raise UserError(
            f"WORLD_SIZE is {processes.count()}, but {found.num_processes} processes are connected; "
            "start them with torchrun or accelerate launch"
        )
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if found.device.type == "cuda" and here > torch.cuda.device_count():  # NCCL takes one process on each
        raise UserError(
            f"{here} processes were started on a machine with {counted(torch.cuda.device_count(), 'GPU')}; "
            "start one for each, or set ACCELERATE_USE_CPU=true in the environment"
        )
    return found


def keep_freed_memory() -> None:
    """Let this process use the memory of freed tensors again, instead of giving it back to the system.

    glibc returns a large tensor's pages as it is freed, and the system zeroes new ones for the next, which
    can take a fifth of a training step, most of it for the gradient of the embeddings. Does nothing where
    the C library is another.
    """
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version"):
        library.mallopt(M_MMAP_MAX, 0)  # large blocks get no mapping of their own
        library.mallopt(M_TRIM_THRESHOLD, -1)  # the heap is never trimmed


def device_name(device: torch.device) -> str:
    """The device as a reader of results knows it: its model, and a CPU's threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "cpu":
        return f"{_cpu_model()}, {counted(torch.get_num_threads(), 'thread')}"
    return device.type


def on_device(value: Any, device: torch.device) -> Any:
    """`value` on `device`; the program does not wait for what is copied from pinned memory.

    `value` is a tensor, None, or a tuple or dataclass of such.
    """
    return _map(value, lambda tensor: tensor.to(device, non_blocking=device.type == "cuda"))


def pinned(value: Any, device: torch.device) -> Any:
    """`value` in memory from which `on_device` copies without waiting, if the device has such."""
    return _map(value, Tensor.pin_memory) if device.type == "cuda" else value


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all that it was given, so that a clock can be read."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def _map(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, tuple):
        parts = [_map(part, change) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{field.name: _map(getattr(value, field.name), change) for field in fields(value)}
        )
    return value


def _is_fast_at_bfloat16() -> bool:
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _cpu_model() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
