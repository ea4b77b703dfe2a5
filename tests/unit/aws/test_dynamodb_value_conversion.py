"""Values between DynamoDB's JSON and boto3."""

import base64
import datetime as dt

import botocore.session
import pytest
from botocore.exceptions import ParamValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.aws.dynamodb_value_conversion import FROM_CLIENT, TO_CLIENT, ValueConversion

MODEL = botocore.session.get_session().get_service_model("dynamodb")
BINARY = st.binary(max_size=9).map(lambda content: base64.b64encode(content).decode())
LEAVES = (
    st.builds(lambda v: {"S": v}, st.text(max_size=5))
    | st.builds(lambda v: {"N": str(v)}, st.integers())
    | st.builds(lambda v: {"B": v}, BINARY)
    | st.builds(lambda v: {"BS": v}, st.lists(BINARY, min_size=1, max_size=3))
    | st.sampled_from([{"NULL": True}, {"BOOL": False}, {"SS": ["B"]}, {"NS": ["1"]}])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(lambda v: {"L": v}, st.lists(inner, max_size=3))
        | st.builds(lambda v: {"M": v}, st.dictionaries(st.sampled_from("ABLS"), inner, max_size=3))
    ),
    max_leaves=8,
)
ITEMS = st.dictionaries(st.sampled_from(["id", "B", "M", "BS"]), VALUES, max_size=4)


def _walk(value):
    """Name each part of a value with the key it stands under."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield key, part
            yield from _walk(part)
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part)


@settings(deadline=None)  # the first example reads the model of the service
@given(st.lists(ITEMS, min_size=1, max_size=3))
def test_binary_values_become_bytes_and_text_again(items):
    write = {"RequestItems": {"B": [{"PutRequest": {"Item": item}} for item in items]}}
    operation = MODEL.operation_model("BatchWriteItem")

    for_client = ValueConversion(TO_CLIENT).of(operation.input_shape, write)

    for key, part in _walk(for_client):
        if key == "B" and not isinstance(part, (dict, list)):
            assert isinstance(part, bytes)
        elif key == "S":
            assert isinstance(part, (str, dict))
    response = {"UnprocessedItems": for_client["RequestItems"]}
    back = ValueConversion(FROM_CLIENT).of(operation.output_shape, response)
    assert back == {"UnprocessedItems": write["RequestItems"]}


def test_times_become_seconds():
    time = dt.datetime(2026, 11, 23, 1, 2, 3, 500_000, tzinfo=dt.UTC)
    shape = MODEL.operation_model("DescribeTable").output_shape

    converted = ValueConversion(FROM_CLIENT).of(shape, {"Table": {"CreationDateTime": time}})

    assert converted == {"Table": {"CreationDateTime": 1_795_395_723.5}}


def test_operations_without_members_and_values_of_the_wrong_kind_are_left_to_boto3():
    conversion = ValueConversion(TO_CLIENT)
    shape = MODEL.operation_model("PutItem").input_shape

    assert conversion.of(None, {"a": 1}) == {"a": 1}
    for wrong in ({"Item": 1}, {"Item": {"a": "text"}}, {"Item": {"a": {"L": 5, "BS": "x"}}}, []):
        assert conversion.of(shape, wrong) == wrong


@pytest.mark.parametrize("text", ["a", "ä===", "AA=A", "AA ==", 5, None])
def test_text_that_is_no_base64(text):
    shape = MODEL.operation_model("PutItem").input_shape

    with pytest.raises(ParamValidationError, match="is no base64 text of a binary value"):
        ValueConversion(TO_CLIENT).of(shape, {"Item": {"id": {"B": text}}})
