"""Results for the HTML page, of random models as `tests.helpers.sample_run` makes them."""

from collections.abc import Sequence
from typing import Any

from pipeline.reporting.finished_results import Results
from pipeline.reporting.next_steps import best_student
from pipeline.reporting.summary import summarise
from tests.helpers import sample_run
from tests.helpers.sample_results import TIMING


def results(
    sentences: int = 60,
    *,
    methods: Sequence[str] = ("vanilla", "structural", "efficient"),
    seeds: Sequence[int] = (1, 2),
    types: Sequence[str] = sample_run.TYPES,
    words: Sequence[str] | None = None,
    task: str = "toy",
) -> Results:
    """The results of a run on so many sentences of about 12 words."""
    spoken, gold = sample_run.gold_sentences(sentences, 12, types, words)
    teacher, students = sample_run.evaluations(spoken, gold, methods, seeds, types)
    summary = summarise(teacher, students, task=task, scheme="iob2", samples=50)
    tags = ["O", *(f"{letter}-{kind}" for kind in sorted(types) for letter in "BI")]
    scores = [[0.5 * row - column for column in range(len(tags))] for row in range(len(tags))]
    transitions = ((tags, scores), (tags, [[2 * score for score in row] for row in scores]))
    made: dict[str, Any] = {
        "teacher": {"seed": 1, "training": {"epochs": 6, "batch_size": 16, "keep": "best"}}
    } | {
        name: {"seed": 1, "training": {"layers": 3, "init": "pretrained"}, "settings": {"epochs": None}}
        for name in methods
    }
    curves = sample_run.histories(students)
    best = best_student(summary, students)
    return Results(summary, TIMING, teacher, students, curves, transitions, made, best)
