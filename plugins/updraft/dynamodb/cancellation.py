"""How the threads of one export learn that they should stop."""

import time

from updraft.errors import UpdraftError

_LOOK_INTERVAL = 0.2


class CancelledError(UpdraftError):
    """The work was stopped from outside before it was complete."""


class Cancellation:
    """A flag that threads look at between two pieces of work and while they wait.

    Setting it takes no lock, so that a signal handler may call :meth:`cancel` wherever it
    interrupts the program. ``threading.Event`` does take one and can block there for good.
    """

    def __init__(self) -> None:
        self._cancelled = False

    def cancel(self) -> None:
        """Ask all threads to stop at their next look."""
        self._cancelled = True

    def check(self) -> None:
        """Go on, or stop here.

        :raises CancelledError: after :meth:`cancel`.
        """
        if self._cancelled:
            raise CancelledError("stopped on request")

    def sleep(self, seconds: float) -> None:
        """Wait, but not beyond a cancellation.

        :param seconds: time to wait in seconds.
        :raises CancelledError: after :meth:`cancel`, within a fraction of a second.
        """
        end = time.monotonic() + seconds
        self.check()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_INTERVAL))
            self.check()
