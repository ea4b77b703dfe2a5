"""Reading which service and Region a request was signed for.

The scope stands in the ``Authorization`` header or, for presigned requests, in the query string:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qs

# The Region is absent for SigV4a, whose scope is <key>/<date>/<service>/aws4_request. An access
# key may itself hold slashes in hand-made credentials, so the scope is read from its end.
_SCOPE = re.compile(
    r"(?P<access_key>.+)/(?P<date>\d{8})/(?:(?P<region>[^/]*)/)?(?P<service>[^/]+)/aws4_request"
)
_HEADER = re.compile(r"AWS4-[A-Z0-9-]+\s+(?:.*?,\s*)?Credential=(?P<credential>[^,]+)")
_DEFAULT_REGION = "us-east-1"


class CredentialScope(NamedTuple):
    """What a signature says about its request."""

    access_key: str
    region: str
    service: str


def parse(credential: str) -> CredentialScope | None:
    """Read a credential of the form ``<access key>/<date>/<Region>/<service>/aws4_request``.

    :param credential: the credential, percent-decoded.
    :returns: its parts; None when it is not of that form. A scope without Region is one for
        ``us-east-1``.
    """
    match = _SCOPE.fullmatch(credential.strip())
    if match is None:
        return None
    region = match["region"] or _DEFAULT_REGION
    return CredentialScope(match["access_key"], region, match["service"].lower())


def of_request(environ: Mapping[str, object]) -> CredentialScope | None:
    """Read the scope of a request.

    :param environ: WSGI environment of the request.
    :returns: scope of the header, else of the presigned query; None for a request that is
        anonymous or signed in another way (Signature Version 2, bearer token).
    """
    header = _HEADER.match(str(environ.get("HTTP_AUTHORIZATION", "")))
    if header is not None:
        return parse(header["credential"])
    query = str(environ.get("QUERY_STRING", ""))
    if "X-Amz-Credential" not in query:
        return None
    values = parse_qs(query).get("X-Amz-Credential")
    return parse(values[0]) if values else None
