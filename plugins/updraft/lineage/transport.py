"""An OpenLineage transport that stores events in the outbox.

Configured by name, alone or inside ``composite`` and ``transform``::

    {"type": "updraft.lineage.transport.OutboxTransport", "uri": "s3://bucket/lineage"}

A task waits for the outbox for a few seconds at most, and never fails because of it. An event
that cannot be stored in time goes to a directory on the worker and from there to the outbox,
as soon as one of the worker's next events gets through.
"""

import difflib
import logging
import os
import queue
import stat
import tempfile
import threading
import time
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Self

import attr
from openlineage.client.serde import Serde
from openlineage.client.transport.transport import Config, Transport

from updraft.compat import count_metric
from updraft.errors import UpdraftError
from updraft.hooks.outbox import open_outbox
from updraft.lineage.configuration import TRANSPORT_TYPE
from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.outbox import EventKey, ObjectMissingError, Outbox, OutboxError
from updraft.lineage.run_configuration import mask_run_configuration

log = logging.getLogger(__name__)

# Airflow's listener allows an event ten seconds, extraction included ([openlineage]
# execution_timeout). These numbers keep the whole of storing well below that.
DEFAULT_TIMEOUT = 6.0
_S3_CONFIG = {"connect_timeout": 2, "read_timeout": 3, "retries": {"total_max_attempts": 2}}
_DRAIN_SECONDS = 2.0
_DRAIN_EVENTS = 50


@attr.define
class OutboxConfig(Config):
    """Configuration of the transport.

    :param uri: the outbox, ``s3://bucket/prefix`` or ``file:///directory``.
    :param aws_conn_id: Airflow connection for S3. The default, boto3's own credential chain,
        asks nothing of Airflow, which matters in the forked process that emits events.
    :param region_name: Region of the bucket.
    :param timeout: seconds that storing one event may take, the local fallback excluded.
    :param fallback_uri: directory for events that could not be stored; by default one below the
        system's temporary directory, for this user and this outbox.
    """

    uri: str
    aws_conn_id: str | None = None
    region_name: str | None = None
    timeout: float = DEFAULT_TIMEOUT
    fallback_uri: str | None = None

    @classmethod
    def from_dict(cls, params: dict[str, Any]) -> Self:
        """Read the configuration.

        :param params: the transport's part of ``[openlineage] transport``.
        :returns: the configuration.
        :raises UpdraftError: when the URI is missing, or a key or value makes no sense.
        """
        given = {key: value for key, value in params.items() if key != "type"}
        known = [field.name for field in attr.fields(cls)]
        for key in given:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
                raise UpdraftError(f"{TRANSPORT_TYPE} has no option {key!r}{hint}")
        if not given.get("uri"):
            raise UpdraftError(
                f"{TRANSPORT_TYPE} lacks 'uri'; it looks like s3://bucket/prefix or "
                f"file:///directory"
            )
        try:
            given["timeout"] = float(given.get("timeout", DEFAULT_TIMEOUT))
        except (TypeError, ValueError):
            given["timeout"] = 0.0
        if not given["timeout"] > 0:
            raise UpdraftError(
                f"{TRANSPORT_TYPE}: 'timeout' is {params['timeout']!r}, not a number of seconds"
            )
        return cls(**given)


class OutboxTransport(Transport):
    """Store each event as one object in the outbox.

    :param config: where, and for how long to try.
    :raises UpdraftError: when the configured URIs cannot name an outbox.
    """

    kind = "updraft_outbox"
    config_class = OutboxConfig

    def __init__(self, config: OutboxConfig) -> None:
        self.config = config
        self._open()

    def emit(self, event: Any) -> None:
        """Store an event; on failure, log one warning and nothing else.

        :param event: a run, job or dataset event of the OpenLineage client.
        """
        try:
            body = mask_run_configuration(Serde.to_json(event).encode())
            run_id, event_type = _run_and_type(event)
            key = EventKey.for_event(body, run_id=run_id, event_type=event_type)
        except Exception as error:  # noqa: BLE001 - lineage never fails a task
            log.warning("A lineage event could not be serialised and is lost: %r", error)
            count_metric("updraft.lineage.outbox.lost")
            return
        try:
            failure = self._store_in_time(body, key)
        except Exception as error:  # noqa: BLE001 - no thread to be had, for example
            failure = error
        if failure is None:
            count_metric("updraft.lineage.outbox.stored")
            return
        try:
            fallback = self._open_fallback()
            fallback.put_event(body, key)
        except Exception as error:  # noqa: BLE001 - lineage never fails a task
            log.warning("Lineage event %s is lost: %s; %s", key.identity, failure, error)
            count_metric("updraft.lineage.outbox.lost")
        else:
            count_metric("updraft.lineage.outbox.waiting")
            log.warning("Lineage event %s waits in %s: %s", key.identity, fallback.uri, failure)

    def _open(self) -> None:
        self._outbox: Outbox = open_outbox(
            self.config.uri,
            aws_conn_id=self.config.aws_conn_id,
            region_name=self.config.region_name,
            config=_S3_CONFIG,
        )
        self._process = os.getpid()  # last, so that a failure is followed by another attempt

    def _store_in_time(self, body: bytes, key: EventKey) -> Exception | None:
        """Store an event within the timeout, whatever hangs: name resolution, credentials, S3.

        :returns: what went wrong, or ``None``.
        """
        if self._process != os.getpid():
            # Connections must not be shared with the process that this one was forked from.
            self._open()
        deadline = time.monotonic() + self.config.timeout
        outcome: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        worker = threading.Thread(
            target=self._store, args=(body, key, outcome), name="updraft-outbox", daemon=True
        )
        worker.start()
        try:
            failure = outcome.get(timeout=self.config.timeout)
        except queue.Empty:
            return TimeoutError(f"{self.config.uri} did not answer in {self.config.timeout:g} s")
        worker.join(max(0.0, min(_DRAIN_SECONDS, deadline - time.monotonic())))
        return failure

    def _store(
        self, body: bytes, key: EventKey, outcome: "queue.SimpleQueue[Exception | None]"
    ) -> None:
        try:
            self._outbox.put_event(body, key)
        except Exception as error:  # noqa: BLE001 - reported by the thread that waits
            outcome.put(error)
            return
        outcome.put(None)
        try:
            self._drain(time.monotonic() + _DRAIN_SECONDS)
        except Exception as error:  # noqa: BLE001 - lineage never fails a task
            log.warning("Lineage events of earlier tasks still wait on this worker: %s", error)

    def _drain(self, deadline: float) -> None:
        """Move events from the fallback directory to the outbox.

        They get the time of the move in their names, because readers have passed the old one.
        Two processes that move the same event do so at about the same time and give it the same
        identity, by which readers drop the second. An attempt that stored the event after the
        task had stopped waiting has left it under its old name: that one is enough.
        """
        if not self._fallback_directory().is_dir():
            return
        fallback = self._open_fallback()
        for name in islice(fallback.event_names(), _DRAIN_EVENTS):
            old = EventKey.parse(name)
            if old is None or time.monotonic() > deadline:
                continue
            try:
                body = fallback.read(name)
            except ObjectMissingError:
                continue  # another process has just moved it
            if not self._is_stored(name):
                key = EventKey.for_event(body, run_id=old.run_id, event_type=old.event_type)
                self._outbox.put_event(body, key)
            fallback.delete(name)

    def _is_stored(self, name: str) -> bool:
        try:
            self._outbox.read(name)
        except OutboxError:
            # Not there; or it cannot be told, as for a role that may only write. Then a second
            # copy is better than none: the forwarder sends both with the same token.
            return False
        return True

    def _fallback_directory(self) -> Path:
        if self.config.fallback_uri:
            return LocalOutbox(self.config.fallback_uri).directory
        name = sha256(self.config.uri.encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"updraft-outbox-{os.getuid()}" / name

    def _open_fallback(self) -> LocalOutbox:
        directory = self._fallback_directory()
        if not self.config.fallback_uri:
            # Anyone may write to the temporary directory; use only what is ours.
            parent = directory.parent
            parent.mkdir(mode=0o700, exist_ok=True)
            status = parent.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
                raise OutboxError(f"{parent} belongs to somebody else; set 'fallback_uri'")
        return LocalOutbox(directory)


def _run_and_type(event: Any) -> tuple[str, str]:
    run = getattr(event, "run", None)
    if run is not None:
        event_type = getattr(event, "eventType", None) or "OTHER"
        return str(run.runId), str(getattr(event_type, "value", event_type))
    return ("job" if getattr(event, "job", None) is not None else "dataset"), "OTHER"
