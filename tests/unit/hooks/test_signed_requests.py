"""Signatures, credentials, certificates and proxies of raw requests."""

import datetime as dt
import ipaddress
import ssl

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials, RefreshableCredentials
from botocore.exceptions import NoCredentialsError, SSLError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.hooks.scripted_dynamodb import DONE, THROTTLED, WRITE, serve
from updraft.aws.signed_requests import CachingSigV4Auth, SignedRequest

BOTH = pytest.mark.parametrize("raw", [True, False], ids=["raw", "client"])
NAMES = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12).map("x-{}".format)
VALUES = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20)


def _signature_by_botocore(seen, url):
    """Sign a request that arrived as botocore does, with the time and the headers it has."""
    stated = seen.headers["authorization"]
    signed = stated.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    request = AWSRequest(
        "POST", url, headers={name: seen.headers[name] for name in signed}, data=seen.body
    )
    request.context["timestamp"] = seen.headers["x-amz-date"]
    signer = SigV4Auth(ReadOnlyCredentials("AKIDEXAMPLE", "secret", None), "dynamodb", "eu-west-1")
    to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    return signed, signer.signature(to_sign, request)


def test_the_signature_on_the_wire_is_that_of_botocore(open_service, plain_client):
    with serve([DONE]) as server:
        open_service(server.url).call("BatchWriteItem", WRITE)
        plain_client(server.url).batch_write_item(**WRITE)

    for seen in server.seen:
        signed, signature = _signature_by_botocore(seen, server.url)
        assert {"host", "content-type", "x-amz-date", "x-amz-target"} <= set(signed)
        assert seen.headers["authorization"].endswith(f", Signature={signature}")


@given(
    st.dictionaries(NAMES, VALUES, max_size=5),
    st.binary(max_size=50),
    st.lists(st.sampled_from(["20260101", "20260102"]), min_size=1, max_size=4),
    st.sampled_from([None, "token"]),
)
def test_caching_changes_no_signature(headers, body, dates, token):
    """One signer over several days, as in a task that runs past midnight."""
    credentials = ReadOnlyCredentials("AKIDEXAMPLE", "secret", token)
    caching, plain = (
        kind(credentials, "dynamodb", "eu-west-1") for kind in (CachingSigV4Auth, SigV4Auth)
    )
    headers = {"Host": "example.com:8000", "User-Agent": "unsigned", **headers}
    url = "https://example.com:8000/"
    for date in dates:
        light, full = (
            SignedRequest(url, dict(headers), body),
            AWSRequest("POST", url, headers, body),
        )
        for request in (light, full):
            request.context["timestamp"] = f"{date}T010203Z"

        canonical = caching.canonical_request(light)

        assert canonical == plain.canonical_request(full)
        assert caching.signature(caching.string_to_sign(light, canonical), light) == (
            plain.signature(plain.string_to_sign(full, canonical), full)
        )


def test_headers_and_path_are_those_of_boto3(open_service, plain_client):
    with serve([DONE]) as server:
        plain_client(server.url + "/base").batch_write_item(**WRITE)
        open_service(server.url + "/base").call("BatchWriteItem", WRITE)

    plain, raw = server.seen
    assert raw.path == plain.path
    same = ("host", "x-amz-target", "content-type", "accept-encoding")
    assert [raw.headers.get(n) for n in same] == [plain.headers.get(n) for n in same]
    assert raw.body == plain.body.replace(b": ", b":").replace(b", ", b",")
    assert "Airflow/" in raw.headers["user-agent"]
    assert "Boto3/" in raw.headers["user-agent"]


class TestCredentials:
    """The credentials of each request are those of that moment."""

    def test_renewed_ones_are_used(self, open_service, monkeypatch):
        renewals = iter(range(1, 9))

        def renew():
            number = next(renewals)
            # Only the third lot lasts.
            lifetime = dt.timedelta(seconds=1 if number < 3 else 36_000)
            return {
                "access_key": f"AKID{number}",
                "secret_key": "secret",
                "token": f"token{number}",
                "expiry_time": (dt.datetime.now(dt.UTC) + lifetime).isoformat(),
            }

        credentials = RefreshableCredentials.create_from_metadata(renew(), renew, "test")
        monkeypatch.setattr(boto3.Session, "get_credentials", lambda _: credentials)
        with serve([DONE]) as server:
            service = open_service(server.url)
            for _ in range(3):
                service.call("BatchWriteItem", WRITE)

        assert [r.headers["x-amz-security-token"] for r in server.seen] == [
            "token2",
            "token3",
            "token3",
        ]
        assert "Credential=AKID2/" in server.seen[0].headers["authorization"]
        assert "Credential=AKID3/" in server.seen[2].headers["authorization"]

    def test_a_repeated_attempt_is_signed_anew(self, open_service, monkeypatch):
        credentials = Credentials("AKID1", "secret", "token1")
        monkeypatch.setattr(boto3.Session, "get_credentials", lambda _: credentials)

        def renew(_):
            credentials.access_key, credentials.token = "AKID2", "token2"

        with serve([THROTTLED, DONE]) as server:
            open_service(server.url, sleep=renew).call("BatchWriteItem", WRITE)

        assert "Credential=AKID1/" in server.seen[0].headers["authorization"]
        assert "Credential=AKID2/" in server.seen[1].headers["authorization"]
        assert server.seen[1].headers["x-amz-security-token"] == "token2"

    @BOTH
    def test_none_at_all(self, open_service, monkeypatch, raw):
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        with serve([DONE]) as server, pytest.raises(NoCredentialsError):
            open_service(server.url, raw=raw).call("BatchWriteItem", WRITE)

        assert server.seen == []


class TestCertificates:
    """A certificate is checked as the connection and the environment say."""

    @pytest.fixture
    def certificate(self, tmp_path):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
                critical=False,
            )
            .sign(key, hashes.SHA256())
        )
        path = tmp_path / "certificate.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return str(path)

    @pytest.fixture
    def server(self, certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with serve([DONE], context) as server:
            yield server

    @BOTH
    def test_unknown_authority(self, open_service, server, raw):
        service = open_service(server.url.replace("http", "https"), raw=raw)

        with pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            service.call("BatchWriteItem", WRITE)
        assert server.seen == []

    @BOTH
    @pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
    def test_trusted_by_the_environment(
        self, open_service, server, certificate, monkeypatch, *, variable, raw
    ):
        monkeypatch.setenv(variable, certificate)
        service = open_service(server.url.replace("http", "https"), raw=raw)

        assert service.call("BatchWriteItem", WRITE) == {"UnprocessedItems": {}}

    @BOTH
    @pytest.mark.parametrize("checked", [True, False])
    def test_trusted_by_the_hook(self, open_service, server, certificate, raw, checked):
        verify = certificate if checked else False
        service = open_service(server.url.replace("http", "https"), raw=raw, verify=verify)

        assert service.call("BatchWriteItem", WRITE) == {"UnprocessedItems": {}}


@BOTH
@pytest.mark.parametrize("configured", [True, False])
def test_requests_go_through_the_proxy(open_service, monkeypatch, raw, configured):
    with serve([DONE]) as proxy:
        config = {"proxies": {"http": proxy.url}} if configured else {}
        if not configured:
            monkeypatch.setenv("http_proxy", proxy.url)
        service = open_service("http://dynamodb.example:8000", raw=raw, **config)
        service.call("BatchWriteItem", WRITE)

    assert proxy.seen[0].path == "http://dynamodb.example:8000/"
    assert proxy.seen[0].headers["host"] == "dynamodb.example:8000"
