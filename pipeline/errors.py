"""The one exception that a user's mistake raises."""


class UserError(Exception):
    """A mistake that the user can mend.

    Its text is one line that names the file, line, address or parameter, and says what to do. The stages
    print it without a traceback and exit with status 2.
    """
