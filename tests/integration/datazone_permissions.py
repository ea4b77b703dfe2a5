"""What a request to Amazon DataZone does, by the service authorization reference."""

import re
from functools import cache
from urllib.parse import unquote, urlsplit

import botocore.session


def datazone_access(method: str, target: str) -> tuple[str, str]:
    """Name action and resource of a request.

    :param method: of HTTP.
    :param target: path and query.
    :returns: the action in the notation of IAM, and the ARN of the domain.
    """
    path = urlsplit(target).path
    for name, wanted, pattern in _operations():
        match = pattern.fullmatch(path) if method == wanted else None
        if match is not None:
            domain = unquote(match["domainIdentifier"])
            return f"datazone:{name}", f"arn:aws:datazone:us-east-1:123456789012:domain/{domain}"
    raise AssertionError(f"DataZone has no operation {method} {path}")


@cache
def _operations() -> list[tuple[str, str, re.Pattern[str]]]:
    model = botocore.session.get_session().get_service_model("datazone")
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        if "{domainIdentifier}" in http["requestUri"]:
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", http["requestUri"])
            found.append((name, http["method"], re.compile(pattern)))
    # A path without placeholders goes before one that it fits as well.
    return sorted(found, key=lambda one: one[2].pattern.count("?P<"))
