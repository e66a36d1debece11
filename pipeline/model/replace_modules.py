"""Puts other modules in the place of some of a model's."""

from collections.abc import Callable

from torch import nn


def replace_modules(model: nn.Module, replacement: Callable[[nn.Module], nn.Module | None]) -> None:
    """Put another module in the place of each one below `model` for which there is one.

    Args:
        model: changed in place.
        replacement: of a module, called for each of its names; None: it stays.
    """
    for name, module in list(model.named_modules(remove_duplicate=False)):
        if name and (other := replacement(module)) is not None:
            model.set_submodule(name, other)
