"""One command per stage of the pipeline."""

import signal
import sys
from pathlib import Path

if sys.argv[0] == "-m" or Path(sys.argv[0]).name == "substructured":  # this package runs as a command
    # A Ctrl-C ends the imports without a traceback; then `command.run_application` takes it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
