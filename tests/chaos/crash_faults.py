"""What can happen to a task at one of its calls, and how a call is told from another."""

import hashlib
import re
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import parse_qs, urlsplit

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]*/(?P<service>[^/]+)/aws4_request")
_READING = re.compile(r"(BatchGet|Describe|Get|Head|List|Query|Scan)([A-Z]|$)")


class Fault(Enum):
    """What happens."""

    KILL = "killed"
    """The process gets SIGKILL, as from a worker or triggerer that runs out of memory."""

    LOSE_ANSWER = "the answer is lost"
    """AWS has carried the call out, and the connection ends before its answer is there."""

    MARK_FAILED = "marked as failed"
    """A user ends the task for good."""

    CLEAR = "cleared"
    """A user ends the task, which Airflow then runs anew."""


class Moment(Enum):
    """When it happens."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Injection:
    """One fault at one call.

    :param fault: what happens.
    :param moment: whether AWS gets the call first.
    :param number: which of the counted calls it is, from 1.
    :param tells_triggers: whether a trigger is told that a user has ended its task, as Airflow does
        from 3.3 on; before, it just disappears.
    """

    fault: Fault
    moment: Moment
    number: int
    tells_triggers: bool = True

    def __str__(self) -> str:
        quietly = "" if self.tells_triggers else ", and no trigger is told"
        return f"{self.fault.value} {self.moment.value} call {self.number}{quietly}"


class Command(Enum):
    """What a process is told to do at a call."""

    GO_ON = auto()
    KILL = auto()
    LOSE_ANSWER = auto()
    TERMINATE = auto()
    CANCEL = auto()
    CANCEL_QUIETLY = auto()


@dataclass(frozen=True)
class Call:
    """A call of AWS, or the last word of a process to Airflow.

    :param name: such as ``glue:StartJobRun``, ``s3:PUT /bucket/key`` or ``airflow:DeferTask``.
    :param reads: whether it changes nothing.
    :param content: digest of all that tells it from others of its name.
    """

    name: str
    reads: bool
    content: str = ""

    @classmethod
    def of(cls, request):
        """Describe a request as it leaves for AWS.

        :param request: botocore's prepared request.
        :returns: the call.
        """
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        scope = _SCOPE.search(headers.get("authorization", ""))
        url = urlsplit(str(request.url))
        service = scope["service"] if scope else url.hostname
        body = _bytes(request.body)
        target = headers.get("x-amz-target", "").rpartition(".")[2]
        action = target or parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
        digest = hashlib.sha256(f"{url.path}?{url.query}".encode() + body).hexdigest()
        if action:
            return cls(f"{service}:{action}", _READING.match(action) is not None, digest)
        name = f"{service}:{request.method} {url.path}"
        return cls(name, request.method in {"GET", "HEAD"}, digest)


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def _bytes(body):
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, bytes | bytearray) else b""
