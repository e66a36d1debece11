"""Modules are replaced under each of their names, at every depth; what has no replacement stays."""

import torch
from torch import nn

from pipeline.model.replace_modules import replace_modules


def test_a_module_is_replaced_under_each_of_its_names_and_no_other_is():
    shared, other = nn.Linear(2, 2), nn.Linear(2, 2)
    model = nn.ModuleDict(
        {"one": shared, "two": nn.Sequential(other, nn.Sequential(shared)), "three": shared}
    )
    new = nn.Linear(2, 2)
    replace_modules(model, lambda module: new if module is shared else None)
    found = dict(model.named_modules(remove_duplicate=False))
    assert found["one"] is found["three"] is found["two.1.0"] is new
    assert found["two.0"] is other


def test_the_model_itself_stays_and_computes_with_what_came():
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5))
    replace_modules(model, lambda module: nn.Identity() if isinstance(module, nn.Dropout) else None)
    x = torch.randn(4, 3)
    assert torch.equal(model(x), model[0](x))
    replace_modules(model, lambda module: nn.Identity() if module is model else None)
    assert type(model) is nn.Sequential
