"""What to run with so many labelled and unlabelled sentences: the rows of docs/recipe.md, run as told there.

So many sentences of a corpus keep their tags, drawn at random, and a quarter as many of its development set;
the rest of the training sentences is text. Runs go through DVC's cache, so that a stopped one goes on. Run it
from the root of a checkout of its own, since `dvc exp run` changes `params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.studies.recipe conll2003 --device cpu
"""

import resource
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.pages.recorded_runs import read_result
from benchmarks.studies.compared_runs import with_text
from benchmarks.studies.experiment import (
    RESULTS,
    Device,
    Finished,
    Layers,
    Seeds,
    Task,
    as_settings,
    compare,
    finish,
    shared_settings,
    show,
)
from benchmarks.studies.parts import OWN, corpus_settings, read_corpus, write_parts
from pipeline.storage.checkpoint import CHECKPOINTS
from pipeline.storage.text_file import write_json
from stages import command

EPOCHS = {100: (60, 100), 1_000: (15, 25), 10_000: (6, 10)}
"""By labelled sentences: the epochs of the teacher, and of students without text."""
STEPS = 4_000  # of students with text


def rows(labelled: int, text: str) -> dict[str, tuple[list[str], dict[str, str]]]:
    """The methods and KEY: VALUE of params.yaml of each row, by its name; the teacher comes first."""
    teacher_epochs, epochs = EPOCHS[labelled]
    without = {
        "teacher.epochs": str(teacher_epochs),
        "student.init": "teacher",
        "student.epochs": str(epochs),
        "student.steps": "null",
        "unlabelled.files": "null",
    }
    more = {"student.epochs": "null", "student.steps": str(STEPS), **with_text(text)}
    return {
        "teacher": ([], without),
        "undistilled": (["vanilla"], without),
        "without text": (["structural"], without),
        "with text": (["structural"], without | more),
    }


def main(
    task: Task,
    device: Device,
    sentences: Annotated[list[int], typer.Option(help=f"That keep their tags: {[*EPOCHS]}.")] = [*EPOCHS],
    layers: Layers = 2,
    seeds: Seeds = [1],
) -> None:
    """Run the rows and write results/TASK-recipe-SENTENCES-DEVICE.json after each."""
    corpus, splits = read_corpus(task)
    for count in sentences:
        name, folder = f"{task}_{count}", OWN / f"{task}_{count}"
        sizes = write_parts(splits, count, folder, development=count // 4)
        shared = [
            *shared_settings(name, None),
            *corpus_settings(name, corpus, folder),
            f"student.layers={layers}",
        ]
        path = RESULTS / f"{task}-recipe-{count}-{device}.json"
        minutes = Minutes(path, Path(CHECKPOINTS, f"{path.stem}-minutes.json"))
        runs: dict[str, Finished] = {}
        for row, (methods, settings) in rows(count, f"{folder}/text.txt").items():
            set_to = [*shared, *as_settings(settings)]
            with minutes.counted(row):
                found = finish(set_to, methods, seeds)
            if not methods:
                continue
            runs[row] = found
            facts = {"task": task, "sentences": sizes, "settings": settings_of(count)}
            result = compare(name, runs) | facts | {"minutes": minutes.by_row}
            write_json(path, result)
        minutes.end()
        show(result)


class Minutes:
    """The CPU time of each row, its students with all their seeds and their evaluation, in minutes.

    A row that DVC takes from its cache takes seconds, so that what was written before is kept. What a study
    that was stopped has spent is in a file of its own, and counts in the next one.
    """

    def __init__(self, path: Path, stopped: Path) -> None:
        """Read what a results file has, and what a stopped study left in a file; both may be missing."""
        recorded: Mapping[str, Any] = read_result(path) if path.exists() else {}
        self._before: dict[str, float] = dict(recorded.get("minutes", {}))
        self._stopped = stopped
        self._spent: dict[str, float] = read_result(stopped) if stopped.exists() else {}

    @contextmanager
    def counted(self, row: str) -> Iterator[None]:
        """Add the time of a row, which may be stopped."""
        began = processor_seconds()
        try:
            yield
        finally:
            self._spent[row] = self._spent.get(row, 0.0) + (processor_seconds() - began) / 60
            write_json(self._stopped, self._spent)

    @property
    def by_row(self) -> dict[str, float]:
        """The minutes of each row."""
        rows = self._before | self._spent
        return {row: max(times.get(row, 0.0) for times in (self._before, self._spent)) for row in rows}

    def end(self) -> None:
        """Forget what a stopped study would go on from."""
        self._stopped.unlink(missing_ok=True)


def processor_seconds() -> float:
    """Used by processes that this one started and that have ended; other jobs do not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def settings_of(labelled: int) -> dict[str, dict[str, str]]:
    """KEY: VALUE of params.yaml of each row, as a user sets them, with a text of their own."""
    return {row: settings for row, (_, settings) in rows(labelled, "data/own/mine/text.txt").items()}


if __name__ == "__main__":
    command.run(main)
