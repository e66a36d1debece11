"""The stages that compute, by the names and parameters that the project has."""

from importlib.util import find_spec

import pytest

from pipeline.storage.yaml_file import read_yaml
from stages.computing import STAGES, runs_as_several
from tests.helpers.own_corpus_stages import COMMANDS, ROOT, TREE


def test_each_is_a_stage_of_dvc_yaml_and_a_command() -> None:
    assert set(STAGES) <= set(COMMANDS)
    dvc = read_yaml(ROOT / "dvc.yaml")["stages"]
    assert set(STAGES) <= dvc.keys()
    assert all(find_spec(f"stages.{name}") for name in STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_the_parameter_that_its_memory_grows_with_exists(stage: str) -> None:
    group, _, name = STAGES[stage].batch_size.partition(".")
    assert isinstance(TREE[group][name], int)
    assert name == "batch_size"


def test_what_trains_or_scores_may_be_shared_and_what_is_measured_may_not() -> None:
    shared = {stage for stage in COMMANDS if runs_as_several(stage)}
    assert shared == {"teacher", "further_teacher", "fold_teacher", "dump", "dump_text", "distill"}
    assert not runs_as_several("nope")
