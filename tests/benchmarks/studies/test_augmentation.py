from benchmarks.studies.augmentation import kinds, searched_kinds


def test_students_with_augmented_sentences_and_their_control_differ_in_those_alone() -> None:
    (_, given), (_, start), (_, augmented), (_, control), (_, both), (_, folds) = kinds(
        10, 5, 20_000, "text.txt"
    ).values()
    assert (given["student.epochs"], given["student.steps"]) == ("10", "null")
    assert (control["student.epochs"], control["student.steps"]) == ("null", "20000")
    assert {**given, "student.init": "teacher", "distill.vanilla.init": "teacher"} == start
    assert {**control, "unlabelled.augmented": "5"} == augmented
    assert augmented["student.init"] == augmented["distill.vanilla.init"] == "teacher"
    assert {**augmented, "unlabelled.files": "text.txt", "unlabelled.sentences": "null"} == both
    assert {**both, "folds": "[1,2]"} == folds


def test_the_kinds_of_a_recorded_search_have_its_lengths_and_copies() -> None:
    def run(epochs: int | None, steps: int | None, augmented: int) -> dict[str, object]:
        return {
            "parameters": {
                "student": {"epochs": epochs, "steps": steps},
                "unlabelled": {"augmented": augmented},
            }
        }

    runs = {"as given": run(7, None, 0), "longer": run(None, 900, 0), "augmented": run(None, 900, 3)}
    assert searched_kinds({"runs": runs}, "text.txt") == kinds(7, 3, 900, "text.txt")
