"""Runs of the pipeline with other parameters, through DVC, and their students side by side."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.git import git
from benchmarks.pages.provenance import provenance
from pipeline.errors import UserError
from pipeline.evaluation.bootstrap import Resampled, p_value
from pipeline.params import Params, load_params
from pipeline.reporting.stage_outputs import SavedEvaluation, read_evaluations
from pipeline.reporting.summary import check_same_test_set, resampled_students, summarise
from pipeline.reporting.tables import optional

PARAMS, EVAL, RESULTS = Path("params.yaml"), Path("data/eval"), Path("results")
OF_TEACHERS_AND_FOLDS = Path("data/scores"), Path("data/scoring_teachers")
START = "vanilla from the teacher"
"""The student without a teacher that starts from its layers, as `compare` names it."""
PAPER = {"student.init": "pretrained", "distill.vanilla.init": "pretrained", "unlabelled.sentences": "0"}
"""The paper's setting, where params.yaml has another: students learn only from labelled sentences."""
Task = Annotated[str, typer.Argument(help="A name under `corpora`, such as conll2000 or conll2003.")]
Device = Annotated[str, typer.Option(help="The end of the name under results/.")]
EncoderName = Annotated[
    str | None,
    typer.Option(help="The teacher's encoder, if not that of params.yaml; part of the name."),
]
Layers = Annotated[int, typer.Option(help="Of the students.")]
Seeds = Annotated[list[int], typer.Option(help="Of the students.")]
Put = Annotated[list[str], typer.Option("--set", help="KEY=VALUE of params.yaml, for all runs.")]


@dataclass(frozen=True)
class Finished:
    """The teacher of a run, its students by method and seed, and its commit, parameters and versions."""

    teacher: SavedEvaluation
    students: dict[str, dict[int, SavedEvaluation]]
    made: dict[str, Any]


def committed_params() -> Params:
    """params.yaml as committed: a run that was stopped leaves other values in the file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / PARAMS
        path.write_text(git("show", f"HEAD:{PARAMS}"), encoding="utf-8")
        return load_params(path)


def name_ending(device: str, encoder: str | None) -> str:
    """The end of the results' name: the device, after the encoder's name if one was chosen."""
    return device if encoder is None else f"{PurePosixPath(encoder).name}-{device}"


def as_settings(values: Mapping[str, object]) -> list[str]:
    """KEY=VALUE of params.yaml, from KEY: VALUE."""
    return [f"{key}={value}" for key, value in values.items()]


def as_values(settings: Iterable[str]) -> dict[str, str]:
    """KEY: VALUE, from KEY=VALUE of params.yaml; of a key that is there twice, the last one."""
    return dict(setting.split("=", 1) for setting in settings)


def shared_settings(task: str, encoder: str | None, put: Sequence[str] = ()) -> list[str]:
    """KEY=VALUE of params.yaml for all runs of a study: its corpus, the chosen encoder, and what is `put`."""
    return [f"task={task}", *([] if encoder is None else [f"teacher.encoder={encoder}"]), *put]


def run_pipeline(settings: Sequence[str], targets: Sequence[str]) -> None:
    """One `dvc exp run` of the targets and what they need, in the paper's setting but for `KEY=VALUE` given.

    All other parameters are as committed: params.yaml is checked out first, as DVC leaves the values of the
    run before in it.

    Raises:
        UserError: code is uncommitted; said before hours are spent, not after.
        SystemExit: the run failed, and DVC has said why; the same call goes on from there.
    """
    git("checkout", "HEAD", "--", str(PARAMS))
    provenance(load_params(PARAMS))
    given = PAPER | as_values(settings)
    set_to = [word for setting in as_settings(given) for word in ("-S", setting)]
    words = ["dvc", "exp", "run", *set_to, *targets]
    print(shlex.join(words), flush=True)
    if status := subprocess.run([sys.executable, "-m", *words], check=False).returncode:
        raise SystemExit(status)


def finish(settings: Sequence[str], methods: Sequence[str], seeds: Sequence[int]) -> Finished:
    """Make, or take from DVC's cache, the teacher and the students, each evaluated on test.

    Raises:
        UserError, SystemExit: as `run_pipeline`.
    """
    targets = [f"evaluate@{method}-{seed}" for method in methods for seed in seeds]
    run_pipeline([*settings, f"seeds=[{','.join(map(str, seeds))}]"], ["evaluate_teacher", *targets])
    teacher, students = read_evaluations(EVAL, methods, seeds)
    remove_further(OF_TEACHERS_AND_FOLDS)
    return Finished(teacher, students, provenance(load_params(PARAMS)))


def remove_further(roots: Iterable[Path]) -> None:
    """Remove what further teachers and folds have below `roots`: each number but 1, one or two levels down.

    Students depend on the whole folders, so that those of a next run with fewer teachers or folds would else
    not be found in DVC's cache. What is removed is in that cache.
    """
    for root in roots:
        for folder in [*root.glob("*"), *root.glob("*/*")]:
            if folder.name.isdigit() and int(folder.name) > 1:
                shutil.rmtree(folder, ignore_errors=True)


def compare(task: str, runs: Mapping[str, Finished]) -> dict[str, Any]:
    """All students of several runs with one teacher, a later run's named "method run", in one summary.

    `p_value_vs` has the p-values of the differences from the students START, where there are any.

    Raises:
        UserError: the runs are of several commits, or not of one test set.
    """
    _check_one_commit(runs.values())
    first = next(iter(runs))
    teacher = runs[first].teacher
    students = {
        method if name == first else f"{method} {name}": by_seed
        for name, run in runs.items()
        for method, by_seed in run.students.items()
    }
    scheme = teacher.metrics["scheme"]
    check_same_test_set(teacher, students)
    resampled = resampled_students(students, scheme=scheme)
    evaluations = {"teacher": [teacher]} | {name: [*by_seed.values()] for name, by_seed in students.items()}
    return {
        "task": task,
        "summary": summarise(teacher, students, task=task, scheme=scheme, resampled=resampled),
        "p_value_vs": {START: _p_values(START, resampled)} if START in resampled else {},
        "development_f1": {
            name: mean(run.metrics["development_f1"] for run in found) for name, found in evaluations.items()
        },
        "runs": {name: run.made for name, run in runs.items()},
    }


def _check_one_commit(runs: Iterable[Finished]) -> None:
    """Refuse runs between which something was committed: other code is no difference of kind."""
    commits = list(dict.fromkeys(str(run.made.get("commit"))[:12] for run in runs))
    if len(commits) > 1:
        raise UserError(
            f"the runs of this study are of the commits {' and '.join(commits)}; run the same command again, "
            "which takes from DVC's cache what is still the same"
        )


def _p_values(other: str, resampled: Mapping[str, Resampled]) -> dict[str, float]:
    """The p-value of each difference in test F1 from the students `other` (see bootstrap.p_value)."""
    found = {name: p_value(of, resampled[other]) for name, of in resampled.items() if name != other}
    return {name: p for name, p in found.items() if p is not None}


def show(result: Mapping[str, Any]) -> None:
    """Print what `compare` gave."""
    summary, development = result["summary"], result["development_f1"]
    table = Table("", "F1 on test", "± over seeds", "gap closed", "F1 on development", title=result["task"])
    table.add_row("teacher", f"{summary['teacher']['f1']:.2f}", "", "", f"{development['teacher']:.2f}")
    for name, figures in summary["methods"].items():
        f1, deviation = figures["f1"], optional(figures["f1"]["std"], "{:.2f}")
        closed = optional(figures["gap_closed"], "{:z.0%}")
        table.add_row(name, f"{f1['mean']:.2f}", deviation, closed, f"{development[name]:.2f}")
    Console().print(table)
