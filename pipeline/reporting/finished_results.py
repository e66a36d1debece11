"""All that the stages left of a run, read and summarised once: what every form of the report is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pipeline.reporting.epoch_times import read_epoch_times
from pipeline.reporting.next_steps import best_student
from pipeline.reporting.origin import read_made
from pipeline.reporting.plot_tables import Transitions
from pipeline.reporting.stage_outputs import (
    SavedEvaluation,
    read_evaluations,
    read_histories,
    read_transitions,
)
from pipeline.reporting.summary import summarise


@dataclass(frozen=True)
class Results:
    """The results of a run.

    summary, timing: the contents of reports/summary.json and reports/timing.json.
    teacher, students: on the test set, students by method and seed.
    curves: the epochs of teacher and students.
    transitions: of the teacher and the best student.
    made: how the teacher and one student of each method were made.
    best: method and seed of the best student.
    """

    summary: dict[str, Any]
    timing: dict[str, Any]
    teacher: SavedEvaluation
    students: Mapping[str, Mapping[int, SavedEvaluation]]
    curves: tuple[Sequence[Mapping[str, Any]], Mapping[str, Mapping[int, Sequence[Mapping[str, Any]]]]]
    transitions: tuple[Transitions, Transitions]
    made: Mapping[str, Mapping[str, Any]]
    best: tuple[str, int]

    @classmethod
    def read(
        cls,
        evaluations: Path,
        teacher: Path,
        students: Path,
        timing: Path,
        *,
        task: str,
        methods: Sequence[str],
        seeds: Sequence[int],
    ) -> Self:
        """Read the folders that the stages `evaluate`, `teacher` and `distill` wrote, and the epoch times.

        Raises:
            UserError: something is missing, damaged, or of another test set.
        """
        scored, by_method = read_evaluations(evaluations, methods, seeds)
        summary = summarise(scored, by_method, task=task, scheme=scored.metrics["scheme"])
        times = read_epoch_times(timing)
        curves = read_histories(teacher, students, methods, seeds)
        method, seed = best = best_student(summary, by_method)
        transitions = (
            read_transitions(evaluations / "teacher", target="evaluate_teacher"),
            read_transitions(evaluations / method / str(seed), target=f"evaluate@{method}-{seed}"),
        )
        made = {"teacher": read_made(teacher, target="teacher")} | {
            name: read_made(students / name / str(seeds[0]), target=f"distill@{name}-{seeds[0]}")
            for name in methods
        }
        return cls(summary, times, scored, by_method, curves, transitions, made, best)

    @property
    def runs(self) -> dict[str, list[SavedEvaluation]]:
        """The evaluations of each model, one for each seed."""
        students = {name: list(found.values()) for name, found in self.students.items()}
        return {"teacher": [self.teacher], **students}
