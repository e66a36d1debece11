"""The paper's claims about its method and the baselines, checked in a recorded run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.distillation.roles import PAPER, STRUCTURAL, UNDISTILLED

HELD, FAILED, OPEN = "held", "did not hold", "not significant"


@dataclass(frozen=True)
class Claim:
    """The claim that a method's mean F1 is above the other's: vanilla or best_baseline, as in the summary."""

    method: str
    other: str

    @property
    def text(self) -> str:
        """The claim in words, as a column's header."""
        other = f"`{UNDISTILLED}`" if self.other == UNDISTILLED else "the best baseline"
        return f"`{self.method}` above {other}"


CLAIMS = (
    Claim("kbest", UNDISTILLED),
    Claim(STRUCTURAL, UNDISTILLED),
    Claim(PAPER, UNDISTILLED),
    Claim(PAPER, "best_baseline"),
)
"""Table 1 of Lin et al. 2022: every method above the undistilled student, theirs above all."""


def verdict(claim: Claim, summary: Mapping[str, Any]) -> str | None:
    """The result for one run: HELD, FAILED (the opposite is significant) or OPEN, with difference and p.

    None if the run has not measured it, or with one seed.
    """
    methods = summary["methods"]
    other = UNDISTILLED if claim.other == UNDISTILLED else summary["best_baseline"]
    if claim.method not in methods or other not in methods:
        return None
    if min(len(methods[name]["f1"]["seeds"]) for name in (claim.method, other)) < 2:
        return None
    difference = methods[claim.method]["f1"]["mean"] - methods[other]["f1"]["mean"]
    if not methods[claim.method][f"differs_from_{claim.other}"]:
        word = OPEN
    else:
        word = HELD if difference > 0 else FAILED
    return f"{word}: {difference:+.2f} (p = {methods[claim.method][f'p_value_vs_{claim.other}']:.4f})"
