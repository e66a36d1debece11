"""The exceptions that end a stage without a traceback."""


class UserError(Exception):
    """A mistake that the user can mend.

    Its text is one line that names the file, line, address or parameter, and says what to do. The stages
    print it without a traceback and exit with status 2.
    """


class Interrupted(Exception):
    """Ctrl-C or SIGTERM came and the state is saved; `signal` is its number."""

    def __init__(self, signal: int) -> None:
        super().__init__("stopped; the same command goes on from here")
        self.signal = signal
