"""The instances with their machines, as the operations see them."""

import logging
import threading
import time
from pathlib import Path

from include.local.gateway.services.ec2.instances import (
    PENDING,
    RUNNING,
    SHUTTING_DOWN,
    STOPPED,
    STOPPING,
    TERMINATED,
    Instance,
    InstanceStore,
)
from include.local.gateway.services.ec2.machine import Machine

_LOG = logging.getLogger(__name__)
_TICK = 0.1  # seconds between looks at whether a machine is told to shut down
_STARTING = 0.3  # seconds in PENDING
_ENDING = 0.3  # seconds in SHUTTING_DOWN
_AGENT = 0.3  # seconds until the agent of a machine has registered with Systems Manager


class RunningInstances:
    """All instances and their machines.

    :param directory: where instances are kept.
    :param endpoint_url: address of the gateway.
    """

    def __init__(self, directory: Path, endpoint_url: str) -> None:
        self.store = InstanceStore(directory)
        self._endpoint_url = endpoint_url
        self._machines: dict[str, Machine] = {}
        self._registered: dict[str, float] = {}

    def start(self, instance: Instance) -> None:
        """Let a new instance begin.

        :param instance: the instance.
        """
        machine = Machine(instance, self.store.folder(instance), self._endpoint_url)
        self._machines[instance.id] = machine
        self.store.save(instance)
        name = instance.id
        threading.Thread(
            target=self._live, args=(instance, machine), name=name, daemon=True
        ).start()

    def terminate(self, instance: Instance, code: str, reason: str) -> None:
        """Let an instance end; nothing happens when it has.

        :param instance: the instance.
        :param code: code of the reason.
        :param reason: the reason in words.
        """
        self._end(instance, SHUTTING_DOWN, TERMINATED, code, reason)

    def managed(self, region: str) -> dict[str, float]:
        """List the instances whose agent has registered with Systems Manager.

        An agent does so when its instance has a profile; here it is not asked what that permits.

        :param region: their Region.
        :returns: when each of them has registered, by id, for those that have not ended.
        """
        return {
            instance.id: self._registered[instance.id]
            for instance in self.store.of_region(region)
            if instance.id in self._registered and instance.state == RUNNING
        }

    def machine(self, instance_id: str) -> Machine:
        """Give the machine of an instance that is managed.

        :param instance_id: id of the instance.
        :returns: the machine.
        """
        return self._machines[instance_id]

    def close(self) -> None:
        """End all processes."""
        for machine in list(self._machines.values()):
            machine.switch_off()

    def _live(self, instance: Instance, machine: Machine) -> None:
        time.sleep(_STARTING)
        with self.store.lock:
            if instance.state != PENDING:
                return
            instance.move(RUNNING)
            self.store.save(instance)
        threading.Thread(target=machine.boot, daemon=True).start()
        until = time.monotonic() + _AGENT
        while instance.state == RUNNING:
            has_agent = instance.request.get("IamInstanceProfile") is not None
            if has_agent and instance.id not in self._registered and time.monotonic() >= until:
                self._registered[instance.id] = time.time()
            if machine.wants_to_end:
                self._shut_down(instance)
                return
            time.sleep(_TICK)

    def _shut_down(self, instance: Instance) -> None:
        reason = "Client.InstanceInitiatedShutdown", "Instance initiated shutdown"
        if instance.request.get("InstanceInitiatedShutdownBehavior") == "terminate":
            self._end(instance, SHUTTING_DOWN, TERMINATED, *reason)
        else:
            self._end(instance, STOPPING, STOPPED, *reason)

    def _end(self, instance: Instance, first: str, last: str, code: str, reason: str) -> None:
        with self.store.lock:
            if instance.state in {SHUTTING_DOWN, TERMINATED}:
                return
            instance.move(first, code, reason)
            self.store.save(instance)
        machine = self._machines.get(instance.id)
        if machine is not None:
            machine.switch_off()
        threading.Timer(_ENDING, self._finish, (instance, first, last)).start()
        _LOG.info("Instance %s: %s", instance.id, reason)

    def _finish(self, instance: Instance, first: str, last: str) -> None:
        with self.store.lock:
            if instance.state == first:
                instance.move(last)
                self.store.save(instance)
