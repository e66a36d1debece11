"""Tables of the studies: students trained with unlabelled text, other heads and other settings."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from statistics import mean
from typing import Any

from pipeline.errors import counted
from pipeline.evaluation.metrics import AGREEMENT
from pipeline.reporting.tables import NONE, quality_table, table

ENCODER = "all-MiniLM-L6-v2"
"""The encoder of params.yaml; the headings name any other."""
GIVEN = "as given"
"""As studies name the kind with nothing changed: students from the pretrained encoder."""


def unlabelled_section(result: Mapping[str, Any]) -> str:
    """Students with and without unlabelled text, from what `benchmarks.studies.unlabelled` wrote."""
    sizes, runs = result["sentences"], result["runs"]
    epochs = " and ".join(
        f"{made['parameters']['student']['epochs']} ({name})" for name, made in runs.items()
    )
    return _students_section(
        "a tenth of it labelled",
        result,
        before=f"{sizes['train']:,} labelled sentences, {sizes['text']:,} unlabelled. ",
        after=f"; epochs: {epochs}",
    )


def equal_steps_section(result: Mapping[str, Any]) -> str:
    """Students trained for as many steps with text as without, from `benchmarks.studies.equal_steps`."""
    return _students_section("a tenth of it labelled, as many steps", result, after=_lengths(result))


def augmentation_section(result: Mapping[str, Any]) -> str:
    """Students with many augmented sentences and without, from `benchmarks.studies.augmentation`."""
    return _students_section("many augmented sentences", result, after=_lengths(result))


def _lengths(result: Mapping[str, Any]) -> str:
    """How long the students of each kind were trained: "; labelled: 8 epochs; with text: 4,390 steps"."""
    students = {name: made["parameters"]["student"] for name, made in result["runs"].items()}
    return "".join(
        f"; {'from the pretrained encoder' if name == GIVEN else name}: "
        + (f"{student['steps']:,} steps" if student.get("steps") else f"{student['epochs']} epochs")
        for name, student in students.items()
    )


def heads_section(result: Mapping[str, Any]) -> str:
    """Students with a CRF and, named "… softmax", without one, from what `benchmarks.studies.heads` wrote."""
    return _students_section("with a CRF and without", result)


def variants_section(result: Mapping[str, Any]) -> str:
    """Other schedules of λ and initialisations, from what `benchmarks.studies.variants` wrote."""
    return _students_section("other schedules and initialisations", result)


def mechanisms_section(result: Mapping[str, Any]) -> str:
    """Other teachers, other students and augmented sentences, from `benchmarks.studies.mechanisms`."""
    return _students_section("other teachers, students and text", result)


def confirmed_section(result: Mapping[str, Any]) -> str:
    """The best kind of a search with several seeds, from `benchmarks.studies.confirmed`."""
    parameters = [run["parameters"] for run in result["runs"].values()]
    seeds = counted(len(parameters[0]["seeds"]), "seed")
    in_steps = any(each["student"].get("steps") for each in parameters)  # as the study augmentation has them
    search = "many augmented sentences" if in_steps else "the search"
    section = _students_section(f"the best of {search}, {seeds}", result, after=_lengths(result))
    compared = [
        f"p of the difference from `{other}`: " + ", ".join(f"{p:.4f} for `{name}`" for name, p in of.items())
        for other, of in result.get("p_value_vs", {}).items()
    ]
    return "\n\n".join([section, *(f"{line}." for line in compared)])


def any_teacher_section(result: Mapping[str, Any]) -> str:
    """Students whose encoder is not their teacher's, from `benchmarks.studies.any_teacher`."""
    runs = result["runs"]
    student = next(iter(runs.values()))["parameters"]["student"]["encoder"]
    notes = [
        f"The student {kind} learned no gold tag; its development F1 is the {AGREEMENT}."
        for kind, run in runs.items()
        if run["parameters"]["task"] != result["task"]
    ]
    section = _students_section(f"students of {student}", result, encoder_is="teacher ")
    return "\n\n".join([section, *notes])


def ablation_section(result: Mapping[str, Any]) -> str:
    """A method with one setting changed at a time, from what `benchmarks.studies.ablation` wrote."""
    rows = [[f"`{row['method']}`, {row['change']}", f"{row['development_f1']:.2f}"] for row in result["rows"]]
    run, summary = result["run"], result["summary"]
    seeds = max(len(figures["f1"]["seeds"]) for figures in summary["methods"].values())
    return "\n\n".join(
        [
            _heading("one setting changed", result, run),
            table(["", "development F1"], rows),
            f"Students of {run['parameters']['student']['layers']} layers, one seed. As tuned: the method's "
            f"best cell of the search. Then with {result['confirmed']}, {counted(seeds, 'seed')}, evaluated "
            "on test:",
            quality_table(summary),
            _on_development(result, seeds),
            made_line(run, result["device"]),
        ]
    )


def initial_layers_section(result: Mapping[str, Any]) -> str:
    """Which layers a student starts from, and what it matches, from `benchmarks.studies.initial_layers`."""
    rows = [
        [
            row["start"],
            f"{row['weight']:g}" if row["weight"] else NONE,
            *(f"{mean(row[split].values()):.2f}" for split in ("development_f1", "test_f1")),
        ]
        for row in result["rows"]
    ]
    teacher, run, matched = result["teacher"], result["run"], result["matched"].replace("-", " ")
    student, seeds = run["parameters"]["student"], len(run["parameters"]["seeds"])
    rows.insert(0, ["teacher", NONE, f"{teacher['dev']:.2f}", f"{teacher['test']:.2f}"])
    over = "one seed" if seeds == 1 else f"means over {seeds} seeds"
    return "\n\n".join(
        [
            _heading(f"initial layers and {matched}", result, run),
            table(["layers of the teacher", f"weight of {matched}", "development F1", "test F1"], rows),
            f"Students of {student['layers']} layers by `structural`, {student['epochs']} epochs of the "
            f"labelled sentences, {over}.",
            made_line(run, result["device"]),
        ]
    )


def made_line(run: Mapping[str, Any], device: str, *, what: str = "Commit") -> str:
    """Commit, device and date of figures."""
    return f"{what} {run['commit'][:12]}, {device}, {run['date']}."


def _heading(title: str, result: Mapping[str, Any], run: Mapping[str, Any], *, encoder_is: str = "") -> str:
    encoder = PurePosixPath(run["parameters"]["teacher"]["encoder"]).name
    return f"## {result['task']}, {title}" + ("" if encoder == ENCODER else f", {encoder_is}{encoder}")


def _students_section(
    title: str, result: Mapping[str, Any], *, before: str = "", after: str = "", encoder_is: str = ""
) -> str:
    summary, run = result["summary"], next(iter(result["runs"].values()))
    layers, seeds = run["parameters"]["student"]["layers"], len(run["parameters"]["seeds"])
    over = "1 seed" if seeds == 1 else f"mean ± standard deviation over {seeds} seeds"
    return "\n\n".join(
        [
            _heading(title, result, run, encoder_is=encoder_is),
            quality_table(summary),
            f"{before}Test set of {summary['sentences']:,} sentences; students of {layers} layers, "
            f"{over}{after}. {_on_development(result, seeds)}",
            made_line(run, summary["device"]),
        ]
    )


def _on_development(result: Mapping[str, Any], seeds: int) -> str:
    figures = ", ".join(
        f"{name if name == 'teacher' else f'`{name}`'} {f1:.2f}"
        for name, f1 in result["development_f1"].items()
    )
    return f"On development{', means over seeds' if seeds > 1 else ''}: {figures}."
