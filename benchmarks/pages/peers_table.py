"""Students beside other taggers: a table for each corpus, and whether the goals are reached."""

from collections.abc import Mapping
from typing import Any

from pipeline.reporting.tables import optional, table

PEERS = ("spaCy CNN", "CRFsuite")
INT8 = "ONNX int8"
POINTS, SHARE = 2.0, 0.5
"""The goal: int8 students are so many points of F1 above each peer, at this share of its words/s."""
TIME_TO = {"defaults": 0.25, "defaults, but for the batch size": 0.25, "tuned": 0.75}
"""The goal: training a student takes at most this share of the time of the Trainer in this form."""


def peers_section(result: Mapping[str, Any]) -> str:
    """Students and other taggers on one corpus, from what `benchmarks.peers` wrote."""
    header = [
        "", "F1", "words/s, one sentence at a time", "words/s, batches of 32", "MB", "start, s",
        "training, minutes",
    ]  # fmt: skip
    rows = [
        [
            row["tagger"],
            f"{row['f1']:.2f}",
            *(f"{row['words_per_second'][size]:,.0f}" for size in ("1", "32")),
            f"{row['megabytes']:.1f}",
            f"{row['start_seconds']:.2f}",
            optional(row["training_minutes"], "{:.1f}"),
        ]
        for row in result["rows"]
    ]
    sentences, students, training = result["sentences"], result["students"], result["training"]
    speeds = training["sentences_per_second"]
    by_form = ", ".join(f"{speeds[form]:.0f} ({form})" for form in TIME_TO)
    return "\n\n".join(
        [
            f"### {result['task']}",
            table(header, rows),
            f"{sentences['train']:,} training, {sentences['dev']:,} development and {sentences['test']:,} "
            f"test sentences; one thread; transformers have {_layers(students)} layers. Training on "
            f"{training['sentences']:,} sentences, in batches of {training['batch_size']} except with "
            f"the Trainer's defaults: {speeds['student']:.0f} sentences/s here; the Trainer {by_form}.",
            "How the students were trained:\n\n" + "\n".join(map(_trained, students, students.values())),
            "Goals that were set beforehand:\n\n" + "\n".join(f"- {goal}" for goal in goals(result)),
            f"Commit {result['commit']}, {result['device']}.",
        ]
    )


def goals(result: Mapping[str, Any]) -> list[str]:
    """Each goal as a sentence that says whether it is reached, and by how much."""
    rows = {row["tagger"]: row for row in result["rows"]}
    students = [row for name, row in rows.items() if name.endswith(INT8)]
    found = [_against(student, rows[peer]) for student in students for peer in PEERS]
    for form, most in TIME_TO.items():
        share = result["training"]["time_to"][form]
        found.append(
            f"{_reached(share <= most)}: training on a sentence takes at most {most:.2f} of the time of the "
            f"Trainer, {form}: {share:.3f}."
        )
    return found


def _layers(students: Mapping[str, Any]) -> int:
    """Of the first student, which the Trainer's classifiers have as well."""
    layers: int = next(iter(students.values()))["training"]["layers"]
    return layers


def _trained(name: str, student: Mapping[str, Any]) -> str:
    """A student's start, length and learning rate as an item of a list: its method's, if set."""
    training = student["training"]
    start, epochs, rate = (
        student["settings"].get(key) or training[key] for key in ("init", "epochs", "learning_rate")
    )
    length = f"{epochs} epochs" if epochs else f"{training['steps']:,} steps"
    begins = "the teacher's layers" if start == "teacher" else "the pretrained encoder"
    return f"- {name}: from {begins}, {length}, learning rate {rate:g}."


def _against(student: Mapping[str, Any], peer: Mapping[str, Any]) -> str:
    points = student["f1"] - peer["f1"]
    shares = [student["words_per_second"][size] / peer["words_per_second"][size] for size in ("1", "32")]
    reached = points >= POINTS and min(shares) >= SHARE
    goal = f"{student['tagger']} is {POINTS:g} points of F1 or more above {peer['tagger']}"
    return (
        f"{_reached(reached)}: {goal}, at {SHARE:.0%} of its words/s or more: {points:+.2f}, at "
        f"{shares[0]:.0%} one sentence at a time and {shares[1]:.0%} in batches."
    )


def _reached(yes: bool) -> str:
    return "Reached" if yes else "**Not reached**"
