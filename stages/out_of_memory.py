"""A device whose memory is full: one line, with the parameter that helps."""

from pipeline.errors import first_line
from stages.computing import STAGES


def out_of_memory(error: Exception, stage: str) -> str | None:
    """What to tell the user of a `stage` that ended with `error`; None if memory is not the reason."""
    # torch has a class of its own for GPUs and none for CPUs. It is not imported: a stage may do without.
    on_gpu, on_cpu = type(error).__name__ == "OutOfMemoryError", "can't allocate memory" in str(error)
    if not (isinstance(error, MemoryError) or on_gpu or on_cpu):
        return None
    lower = f"lower {STAGES[stage].batch_size}, or " if stage in STAGES else ""
    return f"out of memory ({first_line(error)}); {lower}free memory"
