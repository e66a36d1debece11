"""Methods by name: every file in `methods/` is one method of the same name."""

import importlib
from pathlib import Path
from types import ModuleType

from pipeline.distillation.settings import Settings


def method_names() -> list[str]:
    """The methods that exist, in alphabetical order."""
    files = (Path(__file__).parent / "methods").glob("[!_]*.py")
    return sorted(file.stem for file in files)


def method_module(name: str) -> ModuleType:
    """The file `methods/<name>.py`, imported."""
    return importlib.import_module(f"pipeline.distillation.methods.{name}")


def method_settings(name: str) -> type[Settings]:
    """The type of `distill.<name>` in params.yaml."""
    settings: type[Settings] = method_module(name).Settings
    return settings
