from collections.abc import Mapping

from benchmarks.studies.equal_steps import EVALUATIONS, kinds

LENGTH = ("student.epochs", "student.steps", "student.evaluate_every")


def length(changed: Mapping[str, str]) -> list[str | None]:
    return [changed.get(key) for key in LENGTH]


def test_students_with_text_and_their_control_differ_in_the_text_alone() -> None:
    (_, labelled), (_, longer), (_, with_text) = kinds("text.txt", 8, 4_395).values()
    assert length(labelled)[:2] == ["8", "null"]
    assert length(longer) == length(with_text) == ["null", "4395", str(440)]
    assert EVALUATIONS * 440 >= 4_395
    assert {**longer, "unlabelled.files": "text.txt"} == with_text
    assert labelled["unlabelled.files"] == longer["unlabelled.files"] == "null"
