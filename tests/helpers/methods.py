"""The methods that learn from a teacher, and their settings by name."""

from typing import Any

from pipeline.distillation.registry import method_settings

TEACHERS = ("kbest", "structural", "posterior", "efficient", "efficient_emission")


def settings_of(name: str, **values: Any) -> Any:
    return method_settings(name)(**values)
