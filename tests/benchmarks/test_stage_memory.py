"""The benchmark of memory gives the stages what they ask for; how much grows is bytes per sentence."""

import inspect
from importlib import import_module
from typing import Any

import pytest

from benchmarks.stage_memory import NOT_GIVEN, READ_BY_STUDENTS, STAGES, add_growth

STUDENTS = ("distill", dict.fromkeys((*READ_BY_STUDENTS, *NOT_GIVEN, "text", "root"), ""), "", "METHOD-SEED")


@pytest.mark.parametrize("stage", [*STAGES, STUDENTS], ids=lambda stage: stage[0])
def test_a_stage_gets_all_that_it_reads(stage: tuple[str, dict[str, str], str, str]) -> None:
    module, reads, _, item = stage
    options = inspect.signature(import_module(f"stages.{module}").main).parameters
    given = {*reads, "code", "out", "params", *(["item"] if item else [])}
    assert given <= options.keys()
    assert {name for name, one in options.items() if one.default is one.empty} <= given


def test_growth_is_bytes_of_a_sentence_more() -> None:
    rows: list[dict[str, Any]] = [
        {"sentences": 1_000, "stages": {"text": {"peak_mb": 100.0}}},
        {"sentences": 11_000, "stages": {"text": {"peak_mb": 100.5}}},
    ]
    add_growth(rows)
    assert "bytes_per_sentence" not in rows[0]["stages"]["text"]
    assert rows[1]["stages"]["text"]["bytes_per_sentence"] == pytest.approx(50.0)
