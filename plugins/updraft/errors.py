"""The errors that Updraft raises on purpose.

Every message is complete on its own: what is wrong, where, and what to do about it. The
command line prints them without a traceback; an Airflow task fails with them as they are.
"""


class UpdraftError(Exception):
    """Root of all errors that a user of Updraft can do something about."""


class PermanentError(UpdraftError):
    """What went wrong goes wrong again however often it is tried."""


class ArgumentError(PermanentError):
    """An argument is wrong, or two contradict each other."""
