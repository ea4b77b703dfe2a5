"""Sends requests that botocore signs, without the objects that boto3 builds around each of them."""

import hmac
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

# Whoever has a client has loaded botocore already.
from botocore.auth import SIGNED_HEADERS_BLACKLIST, SigV4Auth  # noqa: TID253 - see above
from botocore.awsrequest import AWSPreparedRequest, AWSRequest  # noqa: TID253 - see above
from botocore.credentials import ReadOnlyCredentials  # noqa: TID253 - see above
from botocore.endpoint import EndpointCreator  # noqa: TID253 - see above
from botocore.exceptions import NoCredentialsError  # noqa: TID253 - see above
from botocore.hooks import first_non_none_response  # noqa: TID253 - see above
from botocore.session import Session  # noqa: TID253 - see above

from updraft.aws.connection import ClientConnection
from updraft.aws.kept_connections import KeptConnectionsSession

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse
    from botocore.client import BaseClient
    from botocore.httpsession import URLLib3Session

_UNSIGNED_HEADERS = frozenset(SIGNED_HEADERS_BLACKLIST)


class SignedRequest(AWSPreparedRequest):
    """A request in the form that botocore's signer fills in and its HTTP session sends.

    :param url: URL of the endpoint.
    :param headers: headers by name; each name once.
    :param body: the content.
    """

    def __init__(self, url: str, headers: dict[str, str], body: bytes) -> None:
        super().__init__("POST", url, cast("Any", headers), body, stream_output=False)
        self.params: dict[str, str] = {}
        self.context: dict[str, Any] = {}


class _HeadersToSign(dict[str, str]):
    """Headers under names in lower case, each with one value."""

    def get_all(self, name: str) -> list[str]:
        """Return the values of a header, as the signer asks for them."""
        return [self[name]]


class CachingSigV4Auth(SigV4Auth):
    """botocore's signer, spared the two parts of its work that are the same for each request.

    The signing key depends on the day only, and headers that occur once each need no
    ``email.message.Message``. The rules of the signature stay botocore's.

    .. seealso:: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

    :param credentials: the credentials at one moment.
    :param service_name: name of the service in signatures.
    :param region_name: region in signatures.
    """

    def __init__(
        self, credentials: ReadOnlyCredentials, service_name: str, region_name: str
    ) -> None:
        super().__init__(credentials, service_name, region_name)
        self._scope = (region_name, service_name, "aws4_request")
        self._dated_key: tuple[str, bytes] = ("", b"")

    def headers_to_sign(self, request: Any) -> Any:
        """Return the headers that count, that of the host among them."""
        return _HeadersToSign(
            (lower, value)
            for name, value in request.headers.items()
            if (lower := name.lower()) not in _UNSIGNED_HEADERS
        )

    def signature(self, string_to_sign: str, request: Any) -> str:
        """Return the signature as hexadecimal text."""
        date = request.context["timestamp"][:8]
        known_date, key = self._dated_key
        if known_date != date:
            key = f"AWS4{self.credentials.secret_key}".encode()
            for part in (date, *self._scope):
                key = hmac.digest(key, part.encode(), "sha256")
            self._dated_key = (date, key)
        return hmac.digest(key, string_to_sign.encode(), "sha256").hex()


class SignedRequestSender:
    """Sends POST requests to the endpoint of a client, as that client would.

    The connections come from botocore's own HTTP session over urllib3. They are kept alive, and
    timeouts, proxies, certificates and the size of the pool are those of the client. Errors are
    botocore's. Handlers of the event ``before-send`` are called, which is where test tools such
    as moto answer in place of AWS.

    DynamoDB may offer an endpoint per account, which boto3 then chooses at the time of a request.
    Requests from here go to the endpoint of the region, which serves every account.

    :param connection: the connection whose client is stood in for; its session has the credentials.
    """

    def __init__(self, connection: ClientConnection) -> None:
        client, session = connection.client, connection.session
        service = client.meta.service_model
        endpoint = client.meta.endpoint_url
        # A proxy is sent the URL as it stands here.
        self._url = endpoint if urlsplit(endpoint).path else f"{endpoint}/"
        self._region = client.meta.region_name
        self._signing_name = service.signing_name
        self._event_prefix = f"before-send.{service.service_id.hyphenize()}."
        self._events = client.meta.events
        # These renew themselves, so each request asks for their present state.
        self._credentials = session.get_credentials()
        self._signer = CachingSigV4Auth(
            ReadOnlyCredentials("", "", ""), self._signing_name, self._region
        )
        self._session = _http_session(client, connection.verify, session.profile_name)
        config: Any = client.meta.config
        self._headers = {
            "Host": _host(self._url, self._signing_name, self._region),
            "User-Agent": config.user_agent,
        }

    def send(self, operation: str, headers: Mapping[str, str], body: bytes) -> "AWSResponse":
        """Sign a request with the present time and credentials, send it, and read the response.

        :param operation: name of the operation in the API.
        :param headers: headers beside those of every request.
        :param body: the content.
        :returns: the response with its content, whatever its status.
        :raises botocore.exceptions.BotoCoreError: when there are no credentials, or no complete
            response.
        """
        request = SignedRequest(self._url, {**self._headers, **headers}, body)
        self._present_signer().add_auth(cast("AWSRequest", request))
        responses = self._events.emit(self._event_prefix + operation, request=request)
        answered = first_non_none_response(responses)
        return cast("AWSResponse", answered or self._session.send(request))

    def _present_signer(self) -> CachingSigV4Auth:
        if self._credentials is None:
            raise NoCredentialsError
        credentials = self._credentials.get_frozen_credentials()
        signer = self._signer
        if signer.credentials != credentials:
            signer = CachingSigV4Auth(credentials, self._signing_name, self._region)
            self._signer = signer
        return signer


def _host(url: str, signing_name: str, region: str) -> str:
    """Return the header of the host as botocore signs it, without the scheme's usual port."""
    plain_signer = SigV4Auth(ReadOnlyCredentials("", "", ""), signing_name, region)
    return str(plain_signer.headers_to_sign(AWSRequest("POST", url))["host"])


def _http_session(
    client: "BaseClient", verify: bool | str | None, profile: str | None
) -> "URLLib3Session":
    """Make an HTTP session with the settings of a client, which does not show its own."""
    config: Any = client.meta.config
    # boto3 names the profile "default" even where no file defines it.
    settings = Session(profile=None if profile == "default" else profile)
    if verify is None:
        verify = settings.get_config_variable("ca_bundle")
    # Without TCP_NODELAY the kernel holds the body back until the headers are acknowledged.
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    keepalive = config.tcp_keepalive
    if keepalive is None:
        keepalive = settings.get_config_variable("tcp_keepalive")
    if keepalive:
        options.append((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1))
    endpoint = EndpointCreator(client.meta.events).create_endpoint(
        client.meta.service_model,
        client.meta.region_name,
        client.meta.endpoint_url,
        verify=cast("bool | None", verify),
        timeout=(config.connect_timeout, config.read_timeout),  # type: ignore[arg-type]
        max_pool_connections=config.max_pool_connections,
        proxies=config.proxies,
        socket_options=options,
        client_cert=config.client_cert,
        proxies_config=config.proxies_config,
        http_session_cls=KeptConnectionsSession,
    )
    return cast("URLLib3Session", endpoint.http_session)
