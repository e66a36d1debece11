"""No distillation: nothing is asked of a teacher, and the settings have nothing of one."""

import pytest
from pydantic import ValidationError

from pipeline.distillation.methods import vanilla
from pipeline.distillation.registry import FUNCTIONS, method_settings
from pipeline.distillation.roles import UNDISTILLED
from pipeline.distillation.settings import Scheduled


def test_it_is_the_undistilled_student_by_name():
    assert vanilla.__name__.rpartition(".")[2] == UNDISTILLED
    assert method_settings("vanilla") is vanilla.Settings


def test_there_is_neither_a_loss_nor_a_target_of_a_teacher():
    assert not issubclass(vanilla.Settings, Scheduled)
    assert not any(hasattr(vanilla, function) for function in FUNCTIONS)


@pytest.mark.parametrize("key", ["schedule", "weight", "temperature", "k"])
def test_settings_of_a_distillation_loss_are_refused(key):
    assert vanilla.Settings(epochs=10, learning_rate=4e-4).epochs == 10
    with pytest.raises(ValidationError, match=key):
        vanilla.Settings.model_validate({key: 1})
