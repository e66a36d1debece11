"""Which method is the paper's, which it is compared with, and what the teacher stands in for.

Reports import this module and not `registry`, whose importers depend on the code of every method.
"""

UNDISTILLED = "vanilla"
"""The student that learns from the gold tags alone."""

PAPER = "efficient"
"""The paper's own method."""

EXACT = "structural"
"""Struct. KD: the paper compares its epoch time with that of this method."""

BASELINES = (UNDISTILLED, "kbest", EXACT, "posterior")
"""The methods that the paper's own is to beat; the best of them on the test set is `best_baseline`."""

AGREEMENT = "agreement with the teacher"
"""What F1 on development is where no sentence is labelled; elsewhere it is that of gold tags."""
