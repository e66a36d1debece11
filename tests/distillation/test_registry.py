"""A method's file that lacks something is one line before anything is trained."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from pipeline.distillation import registry
from pipeline.distillation.settings import Scheduled
from pipeline.errors import UserError


class Own(Scheduled):
    factor: float


PARTS = {"Settings": Scheduled, "targets": len, "loss": len}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"Settings": None}, "defines no class Settings that extends one of distillation/settings.py"),
        ({"Settings": int}, "defines no class Settings that extends one of distillation/settings.py"),
        ({"Settings": Own}, "factor of its Settings has no default"),
        ({"loss": None}, "defines no function loss"),
        ({"targets": None}, "defines no function targets"),
    ],
)
def test_what_a_method_lacks_is_named(
    changed: dict[str, object], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "pipeline.distillation.methods.mine"
    module = ModuleType(name)
    vars(module).update({key: value for key, value in (PARTS | changed).items() if value is not None})
    monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(UserError) as caught:
        registry.method_settings("mine")
    assert str(caught.value) == f"pipeline/distillation/methods/mine.py: {says}; see docs/add-a-method.md"


def test_files_that_an_editor_leaves_are_no_methods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "methods").mkdir()
    for name in ("mine.py", "._mine.py", ".#mine.py", "mine copy.py", "_shared.py"):
        (tmp_path / "methods" / name).touch()
    monkeypatch.setattr(registry, "__file__", str(tmp_path / "registry.py"))
    assert registry.method_names() == ["mine"]
