from typing import Any

from benchmarks.pages.peers_table import goals, peers_section

INT8 = "student, vanilla, ONNX int8"
SAME_BATCHES = "defaults, but for the batch size"

TRAINING = {"layers": 3, "init": "teacher", "epochs": 4, "learning_rate": 2e-4}
STUDENTS = {
    "student, vanilla": {"settings": {"init": "pretrained", "epochs": None}, "training": TRAINING},
    "student, structural": {"settings": {"learning_rate": 1e-3, "init": None}, "training": TRAINING},
}


def row(tagger: str, f1: float, one: float, many: float, minutes: float | None = None) -> dict[str, Any]:
    speeds = {"words_per_second": {"1": one, "32": many}, "megabytes": 17.52, "start_seconds": 0.456}
    return {"tagger": tagger, "f1": f1, **speeds, "training_minutes": minutes}


def result(student: dict[str, Any], *, defaults: float = 0.25, tuned: float = 0.75) -> dict[str, Any]:
    peers = [row("spaCy CNN", 80.0, 4_000, 10_000, 12.34), row("CRFsuite", 78.0, 10_000, 20_000, 1.0)]
    training = {
        "sentences": 1_500,
        "batch_size": 32,
        "sentences_per_second": {"student": 260.4, "defaults": 69.0, SAME_BATCHES: 90.0, "tuned": 215.0},
        "time_to": {"defaults": defaults, SAME_BATCHES: 0.25, "tuned": tuned},
    }
    made = {"task": "newsdesk", "commit": "abc", "device": "a machine", "students": STUDENTS}
    sizes = {"sentences": {"train": 1_700, "dev": 300, "test": 600}}
    return made | sizes | {"rows": [*peers, student], "training": training}


def reached(found: dict[str, Any]) -> list[bool]:
    return [line.startswith("Reached: ") for line in goals(found)]


def test_each_tagger_is_a_row() -> None:
    text = peers_section(result(row(INT8, 82.0, 5_000, 10_000)))
    assert text.startswith("### newsdesk\n")
    assert "| spaCy CNN | 80.00 | 4,000 | 10,000 | 17.5 | 0.46 | 12.3 |" in text
    assert f"| {INT8} | 82.00 | 5,000 | 10,000 | 17.5 | 0.46 | – |" in text
    assert "- student, vanilla: from the pretrained encoder, 4 epochs, learning rate 0.0002.\n" in text
    assert "- student, structural: from the teacher's layers, 4 epochs, learning rate 0.001.\n" in text
    assert "1,700 training, 300 development and 600 test sentences; one thread;" in text
    by_form = f"69 (defaults), 90 ({SAME_BATCHES}), 215 (tuned)"
    assert f"260 sentences/s here; the Trainer {by_form}." in text
    assert text.endswith("Commit abc, a machine.")


def test_a_student_of_steps_is_said_to_have_steps() -> None:
    training = TRAINING | {"epochs": None, "steps": 16_000}
    students = {**STUDENTS, "student, kbest": {"settings": {"init": None}, "training": training}}
    text = peers_section(result(row(INT8, 82.0, 5_000, 10_000)) | {"students": students})
    assert "- student, kbest: from the teacher's layers, 16,000 steps, learning rate 0.0002.\n" in text


def test_a_goal_is_reached_at_its_bound() -> None:
    assert reached(result(row(INT8, 82.0, 5_000, 10_000))) == [True] * 5


def test_points_and_both_speeds_are_needed_against_each_peer() -> None:
    assert reached(result(row(INT8, 81.9, 5_000, 10_000))) == [False, True, True, True, True]
    assert reached(result(row(INT8, 82.0, 4_999, 10_000))) == [True, False, True, True, True]
    assert reached(result(row(INT8, 82.0, 5_000, 9_999))) == [True, False, True, True, True]


def test_a_goal_that_is_missed_is_said_with_its_numbers() -> None:
    missed = goals(result(row(INT8, 79.5, 1_000, 10_000), defaults=0.26, tuned=0.82))
    assert missed[0] == (
        f"**Not reached**: {INT8} is 2 points of F1 or more above spaCy CNN, at 50% of its words/s or more: "
        "-0.50, at 25% one sentence at a time and 100% in batches."
    )
    assert missed[2].startswith("**Not reached**: ")
    assert missed[4].endswith("tuned: 0.820.")


def test_other_forms_of_the_student_have_no_goal() -> None:
    assert len(goals(result(row("student, vanilla, PyTorch", 90.0, 1, 1)))) == 3
