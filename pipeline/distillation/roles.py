"""Which method is the paper's, and which it is compared with.

Reports import this module and not `registry`, whose importers depend on the code of every method.
"""

UNDISTILLED = "vanilla"
"""The student that learns only from the gold tags."""

PAPER = "efficient"
"""The paper's own method."""

STRUCTURAL = "structural"
"""Struct. KD, with whose epoch time the paper compares that of its own method."""

BASELINES = (UNDISTILLED, "kbest", STRUCTURAL, "posterior")
"""The methods that the paper's own is to beat; the best of them on the test set is `best_baseline`."""
