"""Applications, and the file that keeps them.

An application moves by itself: it starts and stops in a moment, and stops when it has been idle.
Nothing has to run for that; its state is brought up to date whenever it is looked at.

.. seealso:: https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/applications.html
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from include.local.gateway.services.emr_jobs.job_runs import new_id

CREATING, CREATED = "CREATING", "CREATED"
STARTING, STARTED = "STARTING", "STARTED"
STOPPING, STOPPED, TERMINATED = "STOPPING", "STOPPED", "TERMINATED"

_NEXT = {CREATING: CREATED, STARTING: STARTED, STOPPING: STOPPED}
_IDLE_MINUTES = 15
_ID_LENGTH = 16


@dataclass
class Application:
    """An application.

    :param id: its id.
    :param region: its Region.
    :param token: the client token that it was created with.
    :param request: the parameters that it was created or updated with.
    :param tags: its tags.
    :param state: a value of ``ApplicationState``.
    :param created: when it was created, in seconds since 1970.
    :param updated: when it was changed last.
    """

    id: str
    region: str
    token: str
    request: dict[str, Any]
    tags: dict[str, str]
    state: str = CREATING
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)


class Applications:
    """All applications.

    :param path: the file that keeps them.
    :param seconds: gives the time that an application needs to start or stop.
    :param last_use: gives the time of the last use of an application, in seconds since 1970; None
        while it is in use.
    """

    def __init__(
        self,
        path: Path,
        seconds: Callable[[], float],
        last_use: Callable[[Application], float | None],
    ) -> None:
        self._path = path
        self._seconds = seconds
        self._last_use = last_use
        self._lock = threading.RLock()
        self._applications: dict[str, Application] = {}
        if path.is_file():
            for values in json.loads(path.read_text()):
                application = Application(**values)
                self._applications[application.id] = application

    def create(self, region: str, request: dict[str, Any], tags: dict[str, str]) -> Application:
        """Create an application, unless there is one for its client token.

        :param region: its Region.
        :param request: the parameters of CreateApplication, without tags.
        :param tags: its tags.
        :returns: the application that there is now for the token.
        """
        token = request.pop("clientToken")
        with self._lock:
            for other in self.of_region(region):
                if other.token == token:
                    return other
            application = Application(new_id(_ID_LENGTH), region, token, request, tags)
            self._applications[application.id] = application
            self.save()
            return application

    def find(self, region: str, application_id: str) -> Application | None:
        """Find an application.

        :param region: its Region.
        :param application_id: its id.
        :returns: the application, None when there is none.
        """
        with self._lock:
            application = self._applications.get(application_id)
            if application is None or application.region != region:
                return None
            self._settle(application)
            return application

    def of_region(self, region: str) -> Iterator[Application]:
        """List applications.

        :param region: their Region.
        :returns: the applications, the latest first.
        """
        with self._lock:
            applications = list(self._applications.values())
        for application in sorted(applications, key=lambda each: each.created, reverse=True):
            if application.region == region:
                self._settle(application)
                yield application

    def move(self, application: Application, state: str) -> None:
        """Put an application into another state.

        :param application: the application.
        :param state: the state.
        """
        with self._lock:
            application.state, application.updated = state, time.time()
            self.save()

    def is_in_use(self, application: Application) -> bool:
        """Tell whether an application has job runs that are not over.

        :param application: the application.
        :returns: whether it has.
        """
        return self._last_use(application) is None

    def save(self) -> None:
        """Keep all as they are."""
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._path.with_suffix(".new")
            values = [asdict(each) for each in self._applications.values()]
            temporary.write_text(json.dumps(values, indent=2))
            temporary.replace(self._path)

    def _settle(self, application: Application) -> None:
        with self._lock:
            following = _NEXT.get(application.state)
            if following and time.time() - application.updated >= self._seconds():
                self.move(application, following)
            if application.state == STARTED and self._is_idle(application):
                self.move(application, STOPPED)

    def _is_idle(self, application: Application) -> bool:
        configuration = application.request.get("autoStopConfiguration", {})
        used = self._last_use(application)
        if used is None or not configuration.get("enabled", True):
            return False
        minutes = float(configuration.get("idleTimeoutMinutes", _IDLE_MINUTES))
        return time.time() - max(used, application.updated) >= minutes * 60
