"""Forwarders that are killed at random: each is a process that runs the forwarder's operator."""

import math
import multiprocessing
import os
import random
import threading
import time
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_LONGEST_LIFE = 4.0
_PAUSE = 0.2


def forward(outbox_uri: str, domain_id: str, log: Path) -> None:
    """Forward what is there; the body of such a process.

    :param outbox_uri: where the events are.
    :param domain_id: the catalog's domain.
    :param log: file that takes what it says.
    """
    from include.local.soak import forwarding  # noqa: PLC0415 - the server has imported it

    forwarding.run(outbox_uri, domain_id, log)


class KilledForwarders:
    """One forwarder after the other, each killed by SIGKILL after a random time.

    :param outbox_uri: where the events are.
    :param domain_id: the catalog's domain.
    :param kills: how many are killed; afterwards none is started any more.
    :param seed: what the times are drawn with.
    :param environment: variables of the processes, such as the address of the catalog.
    :param log: file that takes what they say.
    """

    def __init__(
        self,
        outbox_uri: str,
        domain_id: str,
        *,
        kills: int,
        seed: int,
        environment: Mapping[str, str],
        log: Path,
    ) -> None:
        self.killed = 0
        self.finished = 0
        self._arguments = (outbox_uri, domain_id, log)
        self._kills = kills
        self._dice = random.Random(seed)  # noqa: S311 - chance, no secret
        self._allowed = 0
        self._life = _LONGEST_LIFE
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="forwarders", daemon=True)
        # The server of forks keeps the environment that it is started with.
        os.environ.update(environment)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["__main__", "include.local.soak.forwarding"])

    def start(self) -> None:
        """Begin, in a thread."""
        self._thread.start()

    def is_done(self) -> bool:
        """Tell whether as many were killed as asked for."""
        return not self._thread.is_alive()

    def allow(self, share: float) -> None:
        """Say how far the soak is, so that the kills are spread over it.

        :param share: from 0 to 1.
        """
        self._allowed = math.ceil(self._kills * share)

    def stop(self) -> None:
        """Start no more, and wait for the last one to be killed."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _go_on(self) -> None:
        while self.killed < self._kills and not self._stopping.is_set():
            if self.killed >= self._allowed:
                time.sleep(_PAUSE)
                continue
            process = self._context.Process(target=forward, args=self._arguments)
            process.start()
            self._let_live(process)

    def _let_live(self, process: ForkServerProcess) -> None:
        begun = time.monotonic()
        process.join(self._dice.uniform(0.02, self._life))
        if process.is_alive():
            process.kill()
            process.join()
            self.killed += 1
            self._life = min(_LONGEST_LIFE, 1.5 * self._life)
        else:
            # It had little to do. The next one is killed earlier, so that it is met at work.
            self.finished += 1
            self._life = max(0.1, time.monotonic() - begun)
            time.sleep(_PAUSE)
