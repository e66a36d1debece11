"""The parameters that a report shows are those of params.yaml."""

from typing import Any

from pipeline.reporting.origin import parameters

STUDENT = {"init": "teacher", "epochs": 4, "learning_rate": 2e-4, "steps": None}


def made(**own: Any) -> dict[str, Any]:
    """A student's record: what its method sets for itself, and the settings that come out."""
    settings = {"init": None, "epochs": None, "learning_rate": None} | own
    return {"training": STUDENT | own, "settings": settings}


def values(students: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {row["name"]: row["value"] for row in parameters({}, students)}


def test_what_a_method_sets_for_itself_is_not_shown_as_every_students() -> None:
    vanilla = made(init="pretrained", learning_rate=4e-4, epochs=10)
    found = values({"vanilla": vanilla, "kbest": made(), "efficient": made(epochs=7)})
    assert found["student.init"] == "teacher"
    assert found["student.learning_rate"] == "0.0002"
    assert found["student.epochs"] == "4"
    assert found["distill.vanilla.init"] == "pretrained"
    assert found["distill.vanilla.epochs"] == "10"
    assert found["distill.kbest.init"] == "as the student's"
    assert found["distill.efficient.epochs"] == "7"
    assert found["student.steps"] == "–"


def test_what_every_method_sets_for_itself_has_no_row_of_the_student() -> None:
    found = values({"vanilla": made(epochs=3), "kbest": made(epochs=5)})
    assert "student.epochs" not in found
    assert found["student.init"] == "teacher"
    assert (found["distill.vanilla.epochs"], found["distill.kbest.epochs"]) == ("3", "5")
