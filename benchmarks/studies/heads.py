"""Students with a CRF and without one, side by side, from one teacher.

Two runs of the pipeline through DVC's cache, so a stopped one continues. Run it from the root of a
checkout of its own, since `dvc exp run` changes `params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.studies.heads conll2000 --device cpu
"""

from typing import Annotated

import typer

from benchmarks.studies.experiment import (
    RESULTS,
    Device,
    EncoderName,
    Put,
    Seeds,
    Task,
    compare,
    finish,
    name_ending,
    shared_settings,
    show,
)
from pipeline.storage.text_file import write_json
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
    shared = [
        *shared_settings(task, encoder, put),
        f"methods=[{','.join(methods)}]",
        f"method={methods[-1]}",
    ]
    runs = {head: finish([*shared, f"student.head={head}"], methods, seeds) for head in ("crf", "softmax")}
    result = compare(task, runs)
    write_json(RESULTS / f"{task}-heads-{name_ending(device, encoder)}.json", result)
    show(result)


if __name__ == "__main__":
    command.run(main)
