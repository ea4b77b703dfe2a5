"""How the threads of one export learn that they should stop."""

import threading

from updraft.errors import UpdraftError


class CancelledError(UpdraftError):
    """The work was stopped from outside before it was complete."""


class Cancellation:
    """A flag that threads look at between two pieces of work and while they wait.

    Setting it takes no lock that the interrupted thread could hold, so that a signal handler may
    call :meth:`cancel`.
    """

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask all threads to stop at their next look."""
        self._event.set()

    def check(self) -> None:
        """Go on, or stop here.

        :raises CancelledError: after :meth:`cancel`.
        """
        if self._event.is_set():
            raise CancelledError("stopped on request")

    def sleep(self, seconds: float) -> None:
        """Wait, but not beyond a cancellation.

        :param seconds: time to wait in seconds.
        :raises CancelledError: after :meth:`cancel`, at once.
        """
        self._event.wait(seconds)
        self.check()
