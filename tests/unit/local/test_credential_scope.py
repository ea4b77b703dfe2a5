import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.local.gateway.credential_scope import CredentialScope, of_request, parse

word = st.text(st.characters(categories=("Ll", "Nd"), include_characters="-"), min_size=1)
# Real access keys have no slashes, but people invent credentials for a local stack.
access_key = st.text(
    st.characters(categories=("L", "Nd"), include_characters="/+=-"), min_size=1
).filter(lambda key: key == key.strip())


@given(access_key, word, word)
def test_scope_is_read_whatever_the_access_key(key: str, region: str, service: str) -> None:
    scope = parse(f"{key}/20261122/{region}/{service}/aws4_request")
    assert scope == CredentialScope(key, region, service.lower())


@given(st.text())
def test_other_text_never_raises(text: str) -> None:
    parse(text)
    of_request({"HTTP_AUTHORIZATION": text, "QUERY_STRING": text})


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(
            "AWS4-HMAC-SHA256 Credential=AKID/20261122/eu-west-1/DynamoDB/aws4_request, "
            "SignedHeaders=host;x-amz-date, Signature=abc",
            CredentialScope("AKID", "eu-west-1", "dynamodb"),
            id="boto3",
        ),
        pytest.param(
            "AWS4-HMAC-SHA256 Credential=AKID/20261122/mars-1/s3/aws4_request,"
            "SignedHeaders=host,Signature=abc",
            CredentialScope("AKID", "mars-1", "s3"),
            id="without blanks, invented Region",
        ),
        pytest.param(
            "AWS4-HMAC-SHA256 SignedHeaders=host, Signature=abc, "
            "Credential=AKID/20261122/us-east-1/glue/aws4_request",
            CredentialScope("AKID", "us-east-1", "glue"),
            id="other order",
        ),
        pytest.param(
            "AWS4-ECDSA-P256-SHA256 Credential=AKID/20261122/s3/aws4_request, Signature=abc",
            CredentialScope("AKID", "us-east-1", "s3"),
            id="SigV4a has no Region",
        ),
        pytest.param("AWS AKID:signature", None, id="Signature Version 2"),
        pytest.param("Bearer token", None, id="bearer token"),
        pytest.param("AWS4-HMAC-SHA256 Credential=AKID/20261122/s3", None, id="cut off"),
    ],
)
def test_header(header: str, expected: CredentialScope | None) -> None:
    assert of_request({"HTTP_AUTHORIZATION": header}) == expected


def test_presigned_query() -> None:
    credential = "a%2Fb%2F20261122%2Fus-west-2%2Fs3%2Faws4_request"
    query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}"
    assert of_request({"QUERY_STRING": query}) == CredentialScope("a/b", "us-west-2", "s3")


def test_anonymous() -> None:
    assert of_request({"QUERY_STRING": "list-type=2"}) is None
