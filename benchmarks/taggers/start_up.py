"""How long a tagger takes to start: a new process that imports it, loads it and tags one sentence."""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.taggers.tagger import Tagger

_PROGRAM = """
import sys
from pathlib import Path
from {module} import {function}
{function}(Path(sys.argv[1]))([sys.argv[2:]])
"""


def start_seconds(tagger: Tagger, words: Sequence[str], times: int = 3) -> float:
    """Median seconds from the start of the process to its end, with warm file caches."""
    module, _, function = tagger.loader.partition(":")
    program = _PROGRAM.format(module=module, function=function)
    call = [sys.executable, "-c", program, str(tagger.folder), *words]
    spent = []
    for _ in range(times + 1):
        began = time.perf_counter()
        subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
        spent.append(time.perf_counter() - began)
    return statistics.median(spent[1:])  # the first fills the file caches
