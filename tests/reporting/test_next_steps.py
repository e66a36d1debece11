from dataclasses import replace
from pathlib import Path

from pipeline.reporting.next_steps import best_student, next_steps
from pipeline.reporting.summary import summarise
from tests.helpers.sample_results import evaluation


def developed(result, f1):
    return replace(result, metrics={**result.metrics, "development_f1": f1})


def test_the_best_method_is_chosen_on_test_and_its_seed_on_development():
    students = {
        "vanilla": {1: developed(evaluation(0, 1), 99.0), 2: developed(evaluation(0), 80.0)},
        "kbest": {3: developed(evaluation(), 70.0), 4: developed(evaluation(1), 75.0)},
    }
    summary = summarise(evaluation(), students, task="toy", scheme="iob2", samples=10)
    assert best_student(summary, students) == ("kbest", 4)


def test_the_first_of_equal_students_is_named():
    students = {name: {1: evaluation(1), 2: evaluation(1)} for name in ("vanilla", "kbest")}
    summary = summarise(evaluation(), students, task="toy", scheme="iob2", samples=10)
    assert best_student(summary, students) == ("vanilla", 1)


def test_three_lines_say_what_to_do_next():
    students = {"vanilla": {7: evaluation(1)}}
    summary = summarise(evaluation(), students, task="toy", scheme="iob2", samples=10)
    text = next_steps(summary, ("vanilla", 7), Path("data/students"), Path("reports/summary.md"))
    best, tag, page = text.splitlines()
    assert best.startswith("Best student: data/students/vanilla/7 (")
    assert tag.endswith("python -m stages.predict --model data/students/vanilla/7 TEXT_FILE")
    assert page.endswith(" reports/summary.md")
