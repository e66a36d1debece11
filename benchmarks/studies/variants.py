"""How much λ's schedule and the initialisation matter: tuned students, and the same with one changed.

Every method has its best learning rate and epochs of `benchmarks.studies.grid`. Runs go through DVC's
cache, so a stopped one continues. Run it from the root of a checkout of its own, since `dvc exp run` changes
`params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.studies.variants conll2003 --device cpu
"""

from benchmarks.studies.compared_runs import FROM_TEACHER, Kind, compare_runs, tuned_settings
from benchmarks.studies.experiment import Device, EncoderName, Layers, Put, Seeds, Task, name_ending
from stages import command

METHODS = ("vanilla", "structural", "efficient")
TUNED = {
    "distill.efficient.schedule": "last_epoch",
    "distill.efficient.weight": "1.0",
}
CONSTANT = {
    "distill.efficient.schedule": "constant",
    "distill.efficient.weight": "0.9",
}  # the released code's
VARIANTS: dict[str, Kind] = {
    "tuned": (METHODS, {}),
    "with constant λ": (["efficient"], CONSTANT),
    "from the teacher": (METHODS, FROM_TEACHER),
}


def main(
    task: Task,
    device: Device,
    layers: Layers = 2,
    seeds: Seeds = [1, 2, 3],
    encoder: EncoderName = None,
    put: Put = [],
) -> None:
    """Run the variants and write results/TASK-variants-DEVICE.json."""
    kinds = {name: (methods, {**TUNED, **changed}) for name, (methods, changed) in VARIANTS.items()}
    device = name_ending(device, encoder)
    shared = tuned_settings(task, device, layers, encoder, put)
    compare_runs("variants", kinds, shared, task=task, device=device, seeds=seeds)


if __name__ == "__main__":
    command.run(main)
