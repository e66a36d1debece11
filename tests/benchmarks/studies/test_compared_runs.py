import pytest

from benchmarks.studies.compared_runs import Kind, chosen_kinds
from pipeline.errors import UserError

KINDS: dict[str, Kind] = {
    "as given": (["vanilla", "structural"], {}),
    "with two folds, from the teacher": (["structural"], {"folds": "[1,2]"}),
}


def test_all_kinds_unless_some_are_named() -> None:
    assert chosen_kinds(KINDS, []) == KINDS
    (folds,) = list(KINDS)[1:]
    assert chosen_kinds(KINDS, [folds, "as given: structural"]) == {
        folds: KINDS[folds],
        "as given": (["structural"], {}),
    }


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("given", "no kind 'given'; give one of: as given; with"),
        ("as given: kbest", "as given has no 'kbest'"),
    ],
)
def test_what_a_study_does_not_have_is_refused(named: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        chosen_kinds(KINDS, [named])
