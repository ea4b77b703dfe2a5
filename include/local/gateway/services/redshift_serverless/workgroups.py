"""Namespaces and workgroups, and the file that keeps them."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.services.redshift.settings import RedshiftSettings
from include.local.gateway.services.redshift_engine.warehouses import Warehouses

AVAILABLE, CREATING, DELETING, MODIFYING = "AVAILABLE", "CREATING", "DELETING", "MODIFYING"


@dataclass
class Namespace:
    """A namespace: databases and users.

    :param name: its name.
    :param region: its Region.
    :param user: its administrator.
    :param database: the database that it begins with.
    :param roles: ARNs of its roles.
    :param default_role: the one that ``default`` means.
    :param id: its id.
    :param status: its state.
    :param until: when it leaves that state, in seconds since 1970.
    :param created: when it was made.
    """

    name: str
    region: str
    user: str
    database: str
    roles: list[str] = field(default_factory=list)
    default_role: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = CREATING
    until: float | None = None
    created: float = field(default_factory=time.time)

    @property
    def key(self) -> str:
        """Name of its data directory."""
        return f"{self.region}.serverless.{self.name}"


@dataclass
class Workgroup:
    """A workgroup: what computes for a namespace.

    :param name: its name.
    :param region: its Region.
    :param namespace: name of its namespace.
    :param base: base capacity in RPU.
    :param most: greatest capacity in RPU.
    :param tags: its tags.
    :param pending: what a change under way leads to.
    :param other: other parameters, as they were given.
    :param id: its id.
    :param status: its state.
    :param until: when it leaves that state, in seconds since 1970.
    :param created: when it was made.
    """

    name: str
    region: str
    namespace: str
    base: int = 128
    most: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    pending: dict[str, Any] = field(default_factory=dict)
    other: dict[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = CREATING
    until: float | None = None
    created: float = field(default_factory=time.time)


class Workgroups:
    """All namespaces and workgroups.

    :param file: where they are kept.
    :param settings: how long they stay in their states.
    :param warehouses: databases of the namespaces.
    """

    def __init__(self, file: Path, settings: RedshiftSettings, warehouses: Warehouses) -> None:
        self.lock = threading.RLock()
        self.settings = settings
        self._file = file
        self._warehouses = warehouses
        self._namespaces: dict[tuple[str, str], Namespace] = {}
        self._workgroups: dict[tuple[str, str], Workgroup] = {}
        if file.exists():
            kept = json.loads(file.read_text())
            for values in kept["namespaces"]:
                namespace = Namespace(**values)
                self._namespaces[namespace.region, namespace.name] = namespace
            for values in kept["workgroups"]:
                workgroup = Workgroup(**values)
                self._workgroups[workgroup.region, workgroup.name] = workgroup

    def add_namespace(self, namespace: Namespace) -> None:
        """Add a namespace.

        :raises AwsError: when there is one of that name.
        """
        with self.lock:
            if self.find_namespace(namespace.region, namespace.name) is not None:
                raise AwsError("ConflictException", f"Namespace {namespace.name} already exists")
            self._namespaces[namespace.region, namespace.name] = namespace
            self.move(namespace, CREATING)

    def add_workgroup(self, workgroup: Workgroup) -> None:
        """Add a workgroup.

        :raises AwsError: when there is one of that name, or its namespace has one.
        """
        with self.lock:
            if self.find(workgroup.region, workgroup.name) is not None:
                raise AwsError("ConflictException", f"Workgroup {workgroup.name} already exists")
            if any(one.namespace == workgroup.namespace for one in self.of(workgroup.region)):
                message = f"Namespace {workgroup.namespace} already has a workgroup"
                raise AwsError("ConflictException", message)
            self._workgroups[workgroup.region, workgroup.name] = workgroup
            self.move(workgroup, CREATING)

    def move(self, what: Namespace | Workgroup, status: str) -> None:
        """Put a namespace or workgroup into a state that it leaves by itself."""
        phases = self.settings.phases
        seconds = {CREATING: phases.creating, DELETING: phases.deleting}.get(
            status, phases.modifying
        )
        with self.lock:
            what.status, what.until = status, time.time() + seconds
            self.save()

    def find(self, region: str, name: str) -> Workgroup | None:
        """Find a workgroup as it is now."""
        with self.lock:
            self._settle()
            return self._workgroups.get((region, name))

    def require(self, region: str, name: str) -> Workgroup:
        """Find a workgroup as it is now.

        :raises AwsError: when there is none.
        """
        found = self.find(region, name)
        if found is None:
            raise AwsError("ResourceNotFoundException", f"Workgroup {name} was not found", 404)
        return found

    def find_namespace(self, region: str, name: str) -> Namespace | None:
        """Find a namespace as it is now."""
        with self.lock:
            self._settle()
            return self._namespaces.get((region, name))

    def require_namespace(self, region: str, name: str) -> Namespace:
        """Find a namespace as it is now.

        :raises AwsError: when there is none.
        """
        found = self.find_namespace(region, name)
        if found is None:
            raise AwsError("ResourceNotFoundException", f"Namespace {name} was not found", 404)
        return found

    def of(self, region: str) -> Iterator[Workgroup]:
        """List workgroups, by name."""
        with self.lock:
            self._settle()
            found = sorted(self._workgroups.items())
        return (one for (place, _), one in found if place == region)

    def namespaces_of(self, region: str) -> Iterator[Namespace]:
        """List namespaces, by name."""
        with self.lock:
            self._settle()
            found = sorted(self._namespaces.items())
        return (one for (place, _), one in found if place == region)

    def save(self) -> None:
        """Keep everything as it is."""
        with self.lock:
            kept = {
                "namespaces": [asdict(one) for one in self._namespaces.values()],
                "workgroups": [asdict(one) for one in self._workgroups.values()],
            }
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._file.with_suffix(".new")
            temporary.write_text(json.dumps(kept, indent=1, default=str))
            temporary.replace(self._file)

    def _settle(self) -> None:
        now = time.time()
        for workgroup in list(self._workgroups.values()):
            if self._is_due(workgroup, now):
                if workgroup.status == DELETING:
                    del self._workgroups[workgroup.region, workgroup.name]
                workgroup.base = workgroup.pending.get("base", workgroup.base)
                workgroup.most = workgroup.pending.get("most", workgroup.most)
                workgroup.pending = {}
                workgroup.status, workgroup.until = AVAILABLE, None
                self.save()
        for namespace in list(self._namespaces.values()):
            if self._is_due(namespace, now):
                if namespace.status == DELETING:
                    del self._namespaces[namespace.region, namespace.name]
                    self._warehouses.delete(namespace.key)
                namespace.status, namespace.until = AVAILABLE, None
                self.save()

    def _is_due(self, what: Namespace | Workgroup, now: float) -> bool:
        if what.until is None or what.until > now:
            return False
        return not self.settings.is_held(what.name, what.status.lower())
