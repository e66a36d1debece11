import pytest

from benchmarks.studies.confirmed import best_kind, confirmed_kinds
from pipeline.errors import UserError

SEARCHED = {
    "as given": (["vanilla", "structural", "efficient"], {}),
    "from the teacher": (["vanilla", "structural"], {}),
    "with text": (["structural"], {"unlabelled.files": "a.txt"}),
    "with two folds": (["structural", "efficient"], {"folds": "[1,2]"}),
    "with text, as a BiLSTM": (["structural"], {"student.network": "bilstm"}),
}
SEARCH = {
    "development_f1": {
        "teacher": 96.0,
        "vanilla": 94.0,
        "structural": 94.1,
        "structural from the teacher": 95.0,
        "structural with text": 94.3,
        "structural with two folds": 94.5,
        "efficient with two folds": 95.0,
    }
}


def test_the_best_on_development_by_structural_is_chosen_of_those_that_ran() -> None:
    assert best_kind(SEARCH, SEARCHED) == "from the teacher"
    assert best_kind(SEARCH, list(SEARCHED)[2:]) == "with two folds"


def test_the_best_other_kind_is_compared_with_both_starts() -> None:
    found = confirmed_kinds(SEARCH, SEARCHED)
    assert list(found) == ["as given", "with two folds", "from the teacher"]
    assert found["with two folds"] == (["structural"], {"folds": "[1,2]"})
    assert found["as given"] == (["vanilla"], {})
    assert found["from the teacher"][0] == ["vanilla", "structural"]


def test_a_search_without_another_kind_is_refused() -> None:
    with pytest.raises(
        UserError, match="the search has no student by structural besides 'as given' and 'from"
    ):
        best_kind({"development_f1": {"vanilla": 94.0}}, list(SEARCHED)[2:])
