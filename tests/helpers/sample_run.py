"""A finished run of random models on random sentences, as large as asked for: what the report is made of."""

import random
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.evaluation.calibration import calibration
from pipeline.evaluation.metrics import compute_metrics
from pipeline.reporting.stage_outputs import SavedEvaluation

TYPES = ("LOC", "MISC", "ORG", "PER")
METHODS = ("vanilla", "kbest", "structural", "posterior", "efficient", "efficient_emission")
ERRORS = {"teacher": 0.05, "vanilla": 0.25, "kbest": 0.12, "structural": 0.08, "posterior": 0.09}


def gold_sentences(
    count: int, length: int, types: Sequence[str] = TYPES, words: Sequence[str] | None = None
) -> tuple[list[list[str]], list[list[str]]]:
    """Words and tags of `count` sentences of up to `2 · length` words."""
    chance = random.Random(0)
    vocabulary = words or [f"word{number}" for number in range(3000)]
    sentences, tags = [], []
    for _ in range(count):
        size = chance.randint(1, 2 * length)
        row = ["O"] * size
        for start in range(0, size, 5):
            if chance.random() < 0.7:
                kind = chance.choice(types)
                row[start : start + 2] = [f"B-{kind}", f"I-{kind}"][: size - start]
        sentences.append([chance.choice(vocabulary) for _ in row])
        tags.append(row)
    return sentences, tags


def model(
    name: str, seed: int, words: list[list[str]], gold: list[list[str]], types: Sequence[str] = TYPES
) -> SavedEvaluation:
    """A model that loses, invents or renames spans, as often as ERRORS says of it."""
    chance = random.Random(f"{name}{seed}")
    rate = ERRORS.get(name, 0.085)
    predicted = []
    for tags in gold:
        row = list(tags)
        for place, tag in enumerate(tags):
            if chance.random() > rate:
                continue
            if tag.startswith("B-") and chance.random() < 0.6:
                kind = chance.choice(types)
                row[place] = f"B-{kind}"
                if place + 1 < len(row) and row[place + 1] == f"I-{tag[2:]}":
                    row[place + 1] = f"I-{kind}" if chance.random() < 0.7 else "O"
            elif tag.startswith("B-"):
                row[place : place + 2] = ["O"] * len(row[place : place + 2])
            elif tag == "O" and chance.random() < 0.2:
                row[place] = f"B-{chance.choice(types)}"
        predicted.append(row)
    confidences = [
        [
            round(chance.uniform(0.8, 1.0) if a == b else chance.uniform(0.3, 0.95), 4)
            for a, b in zip(*pair, strict=True)
        ]
        for pair in zip(gold, predicted, strict=True)
    ]
    scores = compute_metrics(gold, predicted, scheme="iob2")
    teacher = name == "teacher"
    metrics: dict[str, Any] = {
        "scheme": "iob2",
        "precision": scores.precision,
        "recall": scores.recall,
        "f1": scores.f1,
        "constrained_f1": scores.f1,
        "token_f1": scores.token_f1,
        "accuracy": scores.accuracy,
        "development_f1": scores.f1 - 1 + chance.random(),
        "parameters": 22_568_940 if teacher else 17_245_548,
        "megabytes": 90.29 if teacher else 68.99,
        "sentences_per_second": (366 if teacher else 640) * chance.uniform(0.97, 1.03),
        "device": "Some CPU, 2 threads",
        "types": {kind: asdict(rates) for kind, rates in scores.types.items()},
        "calibration": calibration(gold, predicted, confidences),
    }
    folder = Path("data/eval", *([name] if teacher else [name, str(seed)]))
    return SavedEvaluation(folder, metrics, list(range(len(gold))), words, gold, predicted, confidences)


def evaluations(
    words: list[list[str]],
    gold: list[list[str]],
    methods: Sequence[str] = METHODS,
    seeds: Sequence[int] = (1, 2),
    types: Sequence[str] = TYPES,
) -> tuple[SavedEvaluation, dict[str, dict[int, SavedEvaluation]]]:
    """The teacher, and a student for each method and seed."""
    students = {name: {seed: model(name, seed, words, gold, types) for seed in seeds} for name in methods}
    return model("teacher", 1, words, gold, types), students


def histories(students: dict[str, dict[int, SavedEvaluation]]) -> tuple[Any, Any]:
    """Six epochs of the teacher and five of each student."""

    def epochs(count: int, last: float) -> list[dict[str, float]]:
        return [
            {"epoch": n, "loss": 12 / n**2, "development_f1": last - 20 / n**2} for n in range(1, count + 1)
        ]

    of_students = {
        name: {seed: epochs(5, run.metrics["development_f1"]) for seed, run in runs.items()}
        for name, runs in students.items()
    }
    return epochs(6, 90.0), of_students
