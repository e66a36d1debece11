import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pages.benchmark_tables import confidence_section
from benchmarks.pages.study_tables import (
    ENCODER,
    ablation_section,
    any_teacher_section,
    augmentation_section,
    confirmed_section,
    equal_steps_section,
    heads_section,
    initial_layers_section,
    mechanisms_section,
    unlabelled_section,
    variants_section,
)
from tests.helpers.recorded_runs import RUN, recorded_in

BY_STEPS = (equal_steps_section, augmentation_section)
MADE = RUN | {"parameters": {**RUN["parameters"], "teacher": {"encoder": ENCODER}}}


@pytest.fixture
def summary(tmp_path: Path) -> Any:
    return json.loads((recorded_in(tmp_path) / "toy-cpu" / "summary.json").read_text())


def test_a_setting_changed_is_a_row(summary: Any) -> None:
    rows = [
        {"method": "efficient", "change": "as tuned", "development_f1": 88.664},
        {"method": "efficient", "change": "twice the epochs", "development_f1": 89.0},
    ]
    result = {"task": "toy", "device": "a <small> machine", "rows": rows, "run": MADE}
    result |= {"confirmed": "twice the epochs", "summary": summary, "development_f1": {"vanilla": 91.236}}
    text = ablation_section(result)
    assert text.startswith("## toy, one setting changed\n")
    assert "| `efficient`, as tuned | 88.66 |" in text
    assert "| `efficient`, twice the epochs | 89.00 |" in text
    assert "Students of 2 layers, one seed." in text
    assert "Then with twice the epochs, 1 seed, evaluated on test:\n\n|  | precision |" in text
    assert "On development: `vanilla` 91.24.\n\nCommit 0123456789ab" in text


def test_initial_layers_are_a_row_each_below_their_teacher() -> None:
    rows = [
        {"start": "first", "weight": 0.0, "development_f1": {"1": 85.0, "2": 86.0}, "test_f1": {"1": 80.125}},
        {"start": "last", "weight": 10.0, "development_f1": {"1": 70.0}, "test_f1": {"1": 60.0}},
    ]
    made = MADE | {"parameters": MADE["parameters"] | {"student": {"layers": 2, "epochs": 9}, "seeds": [1]}}
    result = {"task": "toy", "matched": "hidden-states", "device": "a machine", "rows": rows, "run": made}
    text = initial_layers_section(result | {"teacher": {"dev": 90.0, "test": 88.256}})
    assert text.startswith("## toy, initial layers and hidden states\n")
    assert "| teacher | – | 90.00 | 88.26 |" in text
    assert "| first | – | 85.50 | 80.12 |" in text
    assert "| last | 10 | 70.00 | 60.00 |" in text
    assert "Students of 2 layers by `structural`, 9 epochs of the labelled sentences, one seed." in text


def test_how_sure_the_teacher_is_has_a_row_for_each_split() -> None:
    row = {
        "split": "dev",
        "sentences": 1_234,
        "f1": 91.237,
        "unsure": 0.0182,
        "entropy": 0.0076,
        "margin": 13.25,
    }
    result = {"task": "toy", "sure": 0.99, "rows": [row], "commit": "abc", "device": "a <small> machine"}
    text = confidence_section(result)
    assert text.startswith("## toy, how sure the teacher is\n")
    assert "| dev | 1,234 | 91.24 | 1.82% | 0.0076 | 13.2 |" in text
    assert text.endswith("Commit abc, a <small> machine.")


def test_one_seed_is_called_no_mean(summary: Any) -> None:
    made = MADE | {"parameters": MADE["parameters"] | {"seeds": [1]}}
    result = {"task": "toy", "summary": summary, "runs": {"as given": made}}
    text = mechanisms_section(result | {"development_f1": {"kbest": 93.456}})
    assert "students of 2 layers, 1 seed. On development: `kbest` 93.46." in text


def test_f1_of_a_student_without_a_tag_is_called_agreement(summary: Any) -> None:
    student = RUN["parameters"]["student"] | {"encoder": "small"}
    made = MADE["parameters"] | {"task": "toy", "student": student}
    runs = {name: RUN | {"parameters": made} for name in ("as given", "without a tag")}
    result = {"task": "toy", "summary": summary, "development_f1": {"kbest": 93.456}, "runs": runs}
    assert "agreement" not in any_teacher_section(result)
    runs["without a tag"] = RUN | {"parameters": made | {"task": "toy_untagged"}}
    note = (
        "The student without a tag learned no gold tag; its development F1 is the agreement with the teacher."
    )
    assert any_teacher_section(result).endswith(note)


@pytest.mark.parametrize(
    ("write", "title"),
    [
        (unlabelled_section, "a tenth of it labelled"),
        (equal_steps_section, "a tenth of it labelled, as many steps"),
        (augmentation_section, "many augmented sentences"),
        (confirmed_section, "the best of the search, 2 seeds"),
        (heads_section, "with a CRF and without"),
        (variants_section, "other schedules and initialisations"),
        (mechanisms_section, "other teachers, students and text"),
        (any_teacher_section, "students of small"),
    ],
)
@pytest.mark.parametrize("encoder", [ENCODER, "org/other"])
def test_students_of_a_study_are_shown_with_what_made_them(
    summary: Any, write: Any, title: str, encoder: str
) -> None:
    made = RUN | {"parameters": RUN["parameters"] | {"teacher": {"encoder": encoder}}}
    made["parameters"]["task"] = "toy"
    made["parameters"]["student"] = made["parameters"]["student"] | {"encoder": "small"}
    student = (
        {"layers": 2, "epochs": None, "steps": 9_000} if write in BY_STEPS else {"layers": 2, "epochs": 9}
    )
    longer = made | {"parameters": made["parameters"] | {"student": student}}
    text = write(
        {
            "task": "toy",
            "summary": summary,
            "sentences": {"train": 1_234, "text": 98_765},
            "development_f1": {"teacher": 95.0, "kbest": 93.456},
            "runs": {"labelled": made, "with text": longer},
        }
    )
    other = "teacher other" if write is any_teacher_section else "other"
    assert text.splitlines()[0] == f"## toy, {title}" + ("" if encoder == ENCODER else f", {other}")
    assert "`kbest`" in text
    assert "students of 2 layers, mean ± standard deviation over 2 seeds" in text
    assert "On development, means over seeds: teacher 95.00, `kbest` 93.46." in text
    assert "Commit 0123456789ab, a <small> machine, 2030-01-02." in text
    if write is unlabelled_section:
        assert "1,234 labelled sentences, 98,765 unlabelled." in text
        assert "epochs: 7 (labelled) and 9 (with text)." in text
    if write in BY_STEPS:
        assert "over 2 seeds; labelled: 7 epochs; with text: 9,000 steps." in text
    if write is confirmed_section:
        assert "over 2 seeds; labelled: 7 epochs; with text: 9 epochs." in text


def test_a_confirmed_search_in_steps_is_that_of_augmented_sentences(summary: Any) -> None:
    student = MADE["parameters"]["student"] | {"epochs": None, "steps": 9_000}
    runs = {"as given": MADE, "longer": MADE | {"parameters": MADE["parameters"] | {"student": student}}}
    result = {"task": "toy", "summary": summary, "development_f1": {"kbest": 93.4}, "runs": runs}
    text = confirmed_section(result)
    assert text.startswith("## toy, the best of many augmented sentences, 2 seeds\n")
    compared = {"p_value_vs": {"vanilla from the teacher": {"kbest": 0.01234}}}
    assert confirmed_section(result | compared) == (
        f"{text}\n\np of the difference from `vanilla from the teacher`: 0.0123 for `kbest`."
    )


def test_kinds_of_any_teacher_say_what_students_learn_from(summary: Any) -> None:
    kinds = ("without labelled sentences", "from CRFsuite's scores")
    summary["methods"] = {f"kbest {kind}": summary["methods"]["kbest"] for kind in kinds}
    student = MADE["parameters"]["student"] | {"encoder": "small"}
    runs = {"as given": MADE | {"parameters": MADE["parameters"] | {"task": "toy", "student": student}}}
    result = {"task": "toy", "summary": summary, "development_f1": {}, "runs": runs}
    text = any_teacher_section(result)
    assert "| `kbest without labelled sentences` |" in text
    assert "| `kbest from CRFsuite's scores` |" in text


def test_a_row_says_what_is_joined_and_a_note_where_students_start(summary: Any) -> None:
    joined = "kbest with two folds, text and augmented sentences, from the teacher"
    summary["methods"] = {joined: summary["methods"]["kbest"]}
    result = {"task": "toy", "summary": summary, "development_f1": {joined: 93.4}, "runs": {"as given": MADE}}
    assert mechanisms_section(result).count(f"`{joined}`") == 2
    assert "; from the pretrained encoder: " in augmentation_section(result)
