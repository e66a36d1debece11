"""Students with a CRF and without one, side by side, from one teacher.

Two runs of the pipeline through DVC's cache, so a stopped one continues. Run it from the root of a
checkout of its own, since `dvc exp run` changes `params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.studies.heads conll2000 --device cpu
"""

from typing import Annotated

import typer

from benchmarks.studies.compared_runs import Kind, compare_runs
from benchmarks.studies.experiment import Device, EncoderName, Put, Seeds, Task, name_ending, shared_settings
from stages import command


def main(
    task: Task,
    device: Device,
    seeds: Seeds = [1, 2, 3],
    methods: Annotated[list[str], typer.Option(help="That suit both heads.")] = ["vanilla", "structural"],
    put: Put = [],
    encoder: EncoderName = None,
) -> None:
    """Run the experiment and write results/TASK-heads-DEVICE.json."""
    kinds: dict[str, Kind] = {head: (methods, {"student.head": head}) for head in ("crf", "softmax")}
    shared = shared_settings(task, encoder, put)
    compare_runs("heads", kinds, shared, task=task, device=name_ending(device, encoder), seeds=seeds)


if __name__ == "__main__":
    command.run(main)
