"""What a process of a job finds around it: variables of its own, and the programs of EMR."""

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from include.local.bootstrap import ROOT

LAUNCHER = ROOT / "include" / "local" / "emr_node" / "launch.py"

_INHERITED = (
    "LANG",
    "LC_ALL",
    "PATH",
    "TMPDIR",
    "UPDRAFT_LOCAL_SERVICE",
    "UPDRAFT_LOCAL_STATE",
)
# A step whose program is the first to need Spark has it installed, from wherever this machine gets
# its packages: by a mirror, through a proxy, with certificates of its own.
_FOR_PACKAGES = ("PIP_", "SSL_CERT_", "UV_")
_PROXIES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE")
_EXCEPTION = re.compile(
    r"^(?:Exception in thread \S+ |Caused by: )?"
    r"(?:[A-Za-z_][\w$]*\.)*([A-Z]\w*(?:Error|Exception|Exit|Interrupt): .*)$"
)


def aws_variables(endpoint_url: str, region: str) -> Mapping[str, str]:
    """Give the variables by which every AWS SDK of a process finds the gateway.

    :param endpoint_url: address of the gateway.
    :param region: Region that its requests are signed for.
    :returns: values by name.
    """
    return {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": region,
        "AWS_SECRET_ACCESS_KEY": "local",
    }


def job_variables(endpoint_url: str, region: str) -> Mapping[str, str]:
    """Give the whole environment of a process: those, and a few of the gateway's own.

    :param endpoint_url: address of the gateway.
    :param region: Region that its requests are signed for.
    :returns: values by name.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name in _INHERITED or name.startswith(_FOR_PACKAGES) or name.upper() in _PROXIES
    }
    direct = urlsplit(endpoint_url).hostname or ""
    for name in ("NO_PROXY", "no_proxy"):
        inherited[name] = ",".join(filter(None, [inherited.get(name), direct]))
    return {"PATH": os.defpath, **inherited, **aws_variables(endpoint_url, region)}


def program(command: Sequence[str]) -> list[str]:
    """Write the command that starts a program of EMR, such as ``spark-submit``.

    :param command: name of the program, and its arguments.
    :returns: program and arguments.
    """
    return [sys.executable, str(LAUNCHER), *command]


def last_exception(logs: Iterable[Path]) -> str | None:
    """Find the last exception that a process printed, in its own line.

    :param logs: files with what it printed, the likeliest first. spark-submit puts all that a
        script prints on its standard output, errors as well.
    :returns: such as ``ValueError: no such table``; None when there is none.
    """
    for log in logs:
        for line in reversed(log.read_text(errors="replace").splitlines()):
            match = _EXCEPTION.match(line)
            if match:
                return match[1]
    return None


def last_line(log: Path) -> str | None:
    """Read the last line of a log that says something.

    :param log: the log.
    :returns: the line, None when there is none.
    """
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else None
