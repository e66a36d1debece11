from benchmarks.ablation import ROWS, Setting, settings
from benchmarks.experiment import PARAMS
from pipeline.params import load_params
from tests.params_cases import ROOT


def test_a_row_turns_what_it_says_and_takes_the_rest_as_tuned() -> None:
    turned = settings("efficient", Setting("constant", 0.5, rate=4.0, head=2.0, epochs=2), (2e-4, 10), 1e-3)
    assert list(turned) == [
        "student.init=pretrained",
        "student.head_learning_rate=0.002",
        "distill.efficient.learning_rate=0.0008",
        "distill.efficient.epochs=20",
        "distill.efficient.schedule=constant",
        "distill.efficient.weight=0.5",
    ]


def test_a_method_without_a_teacher_has_no_schedule() -> None:
    assert not any(
        "schedule" in value or "weight" in value for value in settings("vanilla", Setting(), (1e-4, 5), 1e-3)
    )


def test_every_row_but_the_first_of_a_method_changes_something() -> None:
    by_method = {method: [row[2] for row in ROWS if row[0] == method] for method, _, _ in ROWS}
    for found in by_method.values():
        assert found[0] == Setting()
        assert len(set(found)) == len(found)


def test_as_tuned_means_the_methods_own_schedule() -> None:
    own = load_params(ROOT / PARAMS).settings("efficient").model_dump()
    assert (own["schedule"], own["weight"]) == (Setting().schedule, Setting().weight)
