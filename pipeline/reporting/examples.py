"""Test sentences that models tag differently, as the page's list of errors reads them."""

import json
from collections.abc import Mapping
from typing import Any

from pipeline.corpora.tagging import Scheme, spans
from pipeline.reporting.stage_outputs import SavedEvaluation

BYTES = 900_000
"""Of JSON at most: what the page shows of a large test set."""


def error_examples(
    models: Mapping[str, SavedEvaluation], *, scheme: Scheme, limit: int = BYTES
) -> dict[str, Any]:
    """The sentences in which a model errs; if they are too many, those in which not all models do.

    Args:
        models: the teacher first, then a student for each method, on the same test set.
        scheme: of the tags.
        limit: bytes of JSON.

    Returns:
        `types` and `models`; `errors`, the number of sentences with one; `sentences`: each {id, words, gold,
        found}. gold is a list of spans [type, first word, word after the last], and found has for each model
        such a list with the confidence in percent behind, the least of the span's words. Types are given by
        their place in `types`. Plain tags are spans of one word.
    """
    first = next(iter(models.values()))
    rows = [_Row(number, models, scheme) for number in range(len(first.gold))]
    erring = [row for row in rows if row.wrong]
    types = sorted({kind for row in erring for found in (row.gold, *row.found) for kind, _, _ in found})
    index = {kind: place for place, kind in enumerate(types)}
    chosen, size = {}, 0
    for row in sorted(erring, key=lambda row: len(row.wrong) == len(models)):  # stable: all wrong come last
        example = row.example(index, models)
        size += len(json.dumps(example, ensure_ascii=False).encode()) + 1
        if size > limit:
            break
        chosen[row.number] = example
    return {
        "types": types,
        "models": list(models),
        "errors": len(erring),
        "sentences": [chosen[number] for number in sorted(chosen)],
    }


class _Row:
    """One sentence: the gold spans and those of each model; `wrong` has the places of models that err."""

    def __init__(self, number: int, models: Mapping[str, SavedEvaluation], scheme: Scheme) -> None:
        self.number = number
        runs = list(models.values())
        self.gold = spans(runs[0].gold[number], scheme=scheme)
        self.found = [spans(run.predicted[number], scheme=scheme) for run in runs]
        self.wrong = [place for place, found in enumerate(self.found) if found != self.gold]

    def example(self, index: Mapping[str, int], models: Mapping[str, SavedEvaluation]) -> dict[str, Any]:
        """The sentence as JSON."""
        runs = list(models.values())
        return {
            "id": runs[0].ids[self.number],
            "words": runs[0].words[self.number],
            "gold": _listed(self.gold, index),
            "found": [
                [
                    [*span, round(100 * min(run.confidences[self.number][span[1] : span[2]]))]
                    for span in _listed(found, index)
                ]
                for run, found in zip(runs, self.found, strict=True)
            ],
        }


def _listed(found: set[tuple[str, int, int]], index: Mapping[str, int]) -> list[list[int]]:
    """Spans from left to right, their types as numbers."""
    return [[index[kind], start, end] for kind, start, end in sorted(found, key=lambda span: span[1:])]
