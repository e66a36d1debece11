from benchmarks.studies.made_up import kinds, searched_kinds


def test_students_with_made_up_sentences_and_their_control_differ_in_those_alone() -> None:
    (_, given), (_, start), (_, made_up), (_, control), (_, both), (_, folds) = kinds(
        10, 5, 20_000, "text.txt"
    ).values()
    assert (given["student.epochs"], given["student.steps"]) == ("10", "null")
    assert (control["student.epochs"], control["student.steps"]) == ("null", "20000")
    assert {**given, "student.init": "teacher", "distill.vanilla.init": "teacher"} == start
    assert {**control, "unlabelled.made_up": "5"} == made_up
    assert control["unlabelled.made_up"] == given["unlabelled.made_up"] == "0"
    assert made_up["student.init"] == made_up["distill.vanilla.init"] == "teacher"
    assert {**made_up, "unlabelled.files": "text.txt", "unlabelled.sentences": "null"} == both
    assert {**both, "folds": "[1,2]"} == folds
    assert both["folds"] == given["folds"] == "[1]"
    assert made_up["unlabelled.files"] == control["unlabelled.files"] == "null"


def test_the_kinds_of_a_recorded_search_have_its_lengths_and_copies() -> None:
    def run(epochs: int | None, steps: int | None, made_up: int) -> dict[str, object]:
        return {
            "parameters": {"student": {"epochs": epochs, "steps": steps}, "unlabelled": {"made_up": made_up}}
        }

    runs = {"as given": run(7, None, 0), "longer": run(None, 900, 0), "made up": run(None, 900, 3)}
    assert searched_kinds({"runs": runs}, "text.txt") == kinds(7, 3, 900, "text.txt")
