"""Instances, and the files that keep them.

States and their order:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
"""

import json
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

PENDING, RUNNING = "pending", "running"
SHUTTING_DOWN, TERMINATED = "shutting-down", "terminated"
STOPPING, STOPPED = "stopping", "stopped"
CODES = {PENDING: 0, RUNNING: 16, SHUTTING_DOWN: 32, TERMINATED: 48, STOPPING: 64, STOPPED: 80}
"""Code of each state, as the API has them."""

VISIBLE_AFTER_END = 3600.0
"""Seconds for which a terminated instance is listed."""

_LOST = "Server.InternalError", "The local stack was stopped or killed while the instance ran"
_FILE = "instance.json"


@dataclass
class Instance:
    """An instance.

    :param id: its id.
    :param region: its Region.
    :param request: the parameters of RunInstances, without tags.
    :param image_id: the image that the request came down to.
    :param reservation_id: id of the reservation that it was launched in.
    :param tags: its tags.
    :param index: its place among the instances of one launch.
    :param state: a key of :data:`CODES`.
    :param code: code of the reason for its state.
    :param reason: the reason in words.
    :param launched: when it was asked for, in seconds since 1970.
    :param ended: when it was terminated.
    """

    id: str
    region: str
    request: dict[str, Any]
    image_id: str
    reservation_id: str
    tags: dict[str, str]
    index: int = 0
    state: str = PENDING
    code: str = ""
    reason: str = ""
    launched: float = field(default_factory=time.time)
    ended: float | None = None

    def move(self, state: str, code: str = "", reason: str = "") -> None:
        """Put the instance into another state.

        :param state: the state.
        :param code: code of the reason.
        :param reason: the reason in words; what was said before stays when there is none.
        """
        self.state = state
        if reason:
            self.code, self.reason = code, reason
        if state == TERMINATED:
            self.ended = time.time()

    @property
    def is_visible(self) -> bool:
        """Whether it is still listed."""
        return self.ended is None or time.time() - self.ended < VISIBLE_AFTER_END


class InstanceStore:
    """All instances: a directory for each, with what belongs to it.

    Instances that were there when the gateway ended have lost their processes; they are terminated
    with that reason when the store is opened.

    :param directory: where they are kept.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.lock = threading.RLock()
        self._instances: dict[str, Instance] = {}
        for path in sorted(directory.glob(f"*/{_FILE}")):
            instance = Instance(**json.loads(path.read_text()))
            self._instances[instance.id] = instance
            if instance.state != TERMINATED:
                instance.move(TERMINATED, *_LOST)
                self.save(instance)

    def folder(self, instance: Instance) -> Path:
        """Name the directory of an instance.

        :param instance: the instance.
        :returns: its directory, which exists.
        """
        folder = self._directory / instance.id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def save(self, instance: Instance) -> None:
        """Keep an instance as it is now.

        :param instance: the instance.
        """
        with self.lock:
            self._instances[instance.id] = instance
            path = self.folder(instance) / _FILE
            temporary = path.with_suffix(".new")
            temporary.write_text(json.dumps(asdict(instance), indent=2))
            temporary.replace(path)

    def find(self, region: str, instance_id: str) -> Instance | None:
        """Find an instance.

        :param region: its Region.
        :param instance_id: its id.
        :returns: the instance, None when there is none or it is no longer listed.
        """
        found = self._instances.get(instance_id)
        return found if found and found.region == region and found.is_visible else None

    def of_region(self, region: str) -> Iterator[Instance]:
        """List instances.

        :param region: their Region.
        :returns: those that are listed, in the order of their launch.
        """
        with self.lock:
            instances = list(self._instances.values())
        for instance in sorted(instances, key=lambda one: (one.launched, one.index, one.id)):
            if instance.region == region and instance.is_visible:
                yield instance

    def of_token(self, region: str, token: str) -> list[Instance]:
        """List the instances that were launched with a client token.

        :param region: their Region.
        :param token: the token.
        :returns: the instances, also those that are no longer listed.
        """
        with self.lock:
            return [
                one
                for one in self._instances.values()
                if one.region == region and one.request.get("ClientToken") == token
            ]


def new_id(prefix: str) -> str:
    """Make an id as EC2 does.

    :param prefix: ``i`` for an instance, ``r`` for a reservation.
    :returns: such as ``i-0123456789abcdef0``.
    """
    return f"{prefix}-0{secrets.token_hex(8)}"
