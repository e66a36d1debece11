"""Methods by name: every file in `methods/` is one method of the same name."""

import importlib
from pathlib import Path
from types import ModuleType

from pipeline.distillation.settings import Scheduled, Settings
from pipeline.errors import UserError

FUNCTIONS = ("targets", "loss")  # of a method that learns from a teacher


def method_names() -> list[str]:
    """The methods that exist, in alphabetical order."""
    files = (Path(__file__).parent / "methods").glob("[!_]*.py")
    return sorted(file.stem for file in files if file.stem.isidentifier())  # an editor's copies are none


def method_module(name: str) -> ModuleType:
    """The file `methods/<name>.py`, imported.

    Raises:
        ModuleNotFoundError: there is none.
    """
    return importlib.import_module(f"pipeline.distillation.methods.{name}")


def method_settings(name: str) -> type[Settings]:
    """The type of `distill.<name>` in params.yaml.

    Raises:
        UserError: the method's file lacks something, or a setting of it has no default.
    """
    module = method_module(name)
    settings = getattr(module, "Settings", None)
    if not (isinstance(settings, type) and issubclass(settings, Settings)):
        raise _incomplete(name, "defines no class Settings that extends one of distillation/settings.py")
    if required := [key for key, field in settings.model_fields.items() if field.is_required()]:
        raise _incomplete(name, f"{required[0]} of its Settings has no default")
    for function in FUNCTIONS if issubclass(settings, Scheduled) else ():
        if not callable(getattr(module, function, None)):
            raise _incomplete(name, f"defines no function {function}")
    return settings


def _incomplete(name: str, what: str) -> UserError:
    return UserError(f"pipeline/distillation/methods/{name}.py: {what}; see docs/add-a-method.md")
