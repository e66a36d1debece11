"""What compiling the chain's inner loop would gain: torch.compile and a C function, against plain torch.

`python -m benchmarks.chain_trials` prints JSON: for each form the seconds until its first answer (what every
stage that trains would pay at its start), the milliseconds of the loop, and of a whole loss step with it.
"""

import ctypes
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import torch
import typer
from torch import Tensor

from benchmarks.chain_implementations import Problem, Question, ours
from pipeline.chain import scaled
from stages import command

SOURCE = """
#include <string.h>
void advance(float *state, float *weights, const float *steps, float *factors, long stride,
             long size, long batch, long tags) {
  for (long t = 1, r = 0; t < size; ++t) {
    int rescale = t % stride == 0;
    for (long row = 0; row < 2 * batch; ++row) {
      const float *before = state + ((t - 1) * 2 * batch + row) * tags;
      const float *step = steps + (row / batch) * tags * tags;
      float *here = state + (t * 2 * batch + row) * tags, *weight = weights + (t * 2 * batch + row) * tags;
      memset(here, 0, tags * sizeof(float));
      for (long i = 0; i < tags; ++i)
        for (long j = 0; j < tags; ++j) here[j] += before[i] * step[i * tags + j];
      if (rescale) {
        float top = 0;
        for (long j = 0; j < tags; ++j) top = here[j] > top ? here[j] : top;
        factors[r * 2 * batch + row] = 1 / top;
        for (long j = 0; j < tags; ++j) weight[j] /= top;
      }
      for (long j = 0; j < tags; ++j) here[j] *= weight[j];
    }
    r += rescale;
  }
}
"""

Advance = Callable[[Tensor, Tensor, Tensor, int], list[Tensor]]


def compiled_c(folder: Path) -> Advance:
    """Build the C function with the compiler at hand; no torch headers, which would take far longer."""
    (folder / "advance.c").write_text(SOURCE)
    library = folder / "advance.so"
    compiler = ["gcc", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", "-o", str(library)]
    subprocess.run([*compiler, str(folder / "advance.c")], check=True)
    call = ctypes.CDLL(str(library)).advance

    def advance(state: Tensor, weights: Tensor, steps: Tensor, stride: int) -> list[Tensor]:
        size, _, batch, tags = state.shape
        factors = torch.empty((size - 1) // stride, 2, batch, 1)
        pointers = (ctypes.c_void_p(x.data_ptr()) for x in (state, weights, steps, factors))
        call(*pointers, *map(ctypes.c_long, (stride, size, batch, tags)))
        return list(factors)

    return advance


def main(
    batch: Annotated[int, typer.Option(help="Sentences.")] = 32,
    length: Annotated[int, typer.Option(help="Words.")] = 60,
    tags: Annotated[int, typer.Option(help="Tags.")] = 23,
) -> None:
    """Measure on one thread."""
    torch.set_num_threads(1)
    loss = ours(Problem.draw(batch, length, tags, "cpu"))["loss"]
    with tempfile.TemporaryDirectory() as folder:
        makers: dict[str, Callable[[], Advance]] = {
            "plain": lambda: scaled._advance,
            "torch.compile": lambda: torch.compile(scaled._advance),
            "C": lambda: compiled_c(Path(folder)),
        }
        expected = loss()
        found = {name: measured(make, loss, expected) for name, make in makers.items()}
    print(json.dumps({"batch": batch, "length": length, "tags": tags, **found}, indent=1))


def measured(make: Callable[[], Advance], loss: Question, expected: Tensor) -> dict[str, float]:
    """The times of one form of the loop, whose first answer must be the expected one."""
    plain = scaled._advance
    started = time.perf_counter()
    form = make()
    loop: list[float] = []

    def timed(*args: Any) -> list[Tensor]:
        begun = time.perf_counter()
        found = form(*args)
        loop.append(time.perf_counter() - begun)
        return found

    scaled._advance = timed  # type: ignore[assignment]
    try:
        torch.testing.assert_close(loss(), expected)
        first = time.perf_counter() - started
        step = []
        for _ in range(200):
            begun = time.perf_counter()
            loss()
            step.append(time.perf_counter() - begun)
    finally:
        scaled._advance = plain
    return {
        "first_seconds": first,
        "loop_milliseconds": median(loop[1:]) * 1e3,
        "step_milliseconds": median(step) * 1e3,
    }


if __name__ == "__main__":
    command.run(main)
