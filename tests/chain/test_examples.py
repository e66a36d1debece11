"""The examples in the docstrings of the chain."""

import doctest

import pytest

from pipeline.chain import linear_chain, moments


@pytest.mark.parametrize("module", [linear_chain, moments], ids=lambda module: module.__name__)
def test_examples(module):
    failures, tried = doctest.testmod(module)
    assert tried
    assert not failures
