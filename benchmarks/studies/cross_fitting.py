"""What teachers are worth that have not seen the sentences they score: students with one fold and with two.

Every method has its best learning rate and epochs of `benchmarks.studies.grid`, which was made with one fold.
Runs go through DVC's cache, so that a stopped one goes on. Run it from the root of a checkout of its own,
since `dvc exp run` changes `params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.studies.cross_fitting conll2003 --device cpu
"""

from benchmarks.studies.compared_runs import FROM_TEACHER, Kind, compare_runs, tuned_settings
from benchmarks.studies.experiment import Device, EncoderName, Layers, Put, Seeds, Task, name_ending
from stages import command

ONE, TWO = {"folds": "[1]"}, {"folds": "[1,2]"}
RUNS: dict[str, Kind] = {
    "with one fold": (["vanilla", "structural"], ONE),
    "with two folds": (["structural", "efficient"], TWO),
    "with two folds, from the teacher": (["structural"], TWO | FROM_TEACHER),
    "from the teacher": (["vanilla", "structural"], ONE | FROM_TEACHER),
}


def main(
    task: Task,
    device: Device,
    layers: Layers = 2,
    seeds: Seeds = [1, 2, 3],
    encoder: EncoderName = None,
    put: Put = [],
) -> None:
    """Run the students and write results/TASK-cross-fitting-DEVICE.json after each kind."""
    device = name_ending(device, encoder)
    shared = tuned_settings(task, device, layers, encoder, put)
    compare_runs("cross-fitting", RUNS, shared, task=task, device=device, seeds=seeds)


if __name__ == "__main__":
    command.run(main)
