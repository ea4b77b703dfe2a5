"""Batches against a service that leaves items unprocessed, refuses them, or fails."""

import pytest
from botocore.exceptions import ClientError

from updraft.dynamodb.cancellation import Cancellation
from updraft.dynamodb.capacity import TokenBucket
from updraft.dynamodb.item_keys import KeyReader
from updraft.dynamodb.item_writer import KeepingWriter, ReplacingWriter, Write
from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import UpdraftError


class Clockless(Cancellation):
    """Waits in no time, and remembers how long."""

    def __init__(self):
        super().__init__()
        self.slept = []

    def sleep(self, seconds):
        self.check()
        self.slept.append(seconds)


def _refusal(code, message="said AWS"):
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


class Service:
    """A table that takes a few items per call, and none that is called bad."""

    region = "eu-west-1"

    def __init__(self, per_call=25, error=None):
        self.items = {}
        self.per_call = per_call
        self.error = error
        self.calls = []

    def call(self, operation, request):
        self.calls.append(operation)
        if self.error:
            raise self.error
        return getattr(self, operation)(request)

    def BatchWriteItem(self, request):  # noqa: N802
        ((table, requests),) = request["RequestItems"].items()
        assert len(requests) <= 25
        if any(r.get("PutRequest", {}).get("Item", {}).get("bad") for r in requests):
            raise _refusal("ValidationException", "the item is bad")
        for entry in requests[: self.per_call]:
            if "PutRequest" in entry:
                item = entry["PutRequest"]["Item"]
                self.items[item["id"]["S"]] = item
            else:
                self.items.pop(entry["DeleteRequest"]["Key"]["id"]["S"], None)
        left = requests[self.per_call :]
        return {
            "UnprocessedItems": {table: left} if left else {},
            "ConsumedCapacity": [{"TableName": table, "CapacityUnits": 1.0}],
        }

    def PutItem(self, request):  # noqa: N802
        item = request["Item"]
        assert request["ConditionExpression"] == "attribute_not_exists(#key)"
        assert request["ExpressionAttributeNames"] == {"#key": "id"}
        if item.get("bad"):
            raise _refusal("ValidationException", "the item is bad")
        if item["id"]["S"] in self.items:
            raise _refusal("ConditionalCheckFailedException")
        self.items[item["id"]["S"]] = item
        return {"ConsumedCapacity": {"TableName": "orders", "CapacityUnits": 1.0}}


def _writer(service, cancellation=None, writer=ReplacingWriter, rate=1e9):
    return writer(
        service,
        "orders",
        KeyReader({"id": "S"}),
        budget=TokenBucket(rate),
        cancellation=cancellation or Clockless(),
    )


def _puts(*names, **attributes):
    return [Write((name,), {"id": {"S": name}, **attributes}, False, 400) for name in names]


def test_puts_and_deletions():
    service = Service()
    service.items["b"] = {"id": {"S": "b"}}
    outcome = _writer(service).write(
        [*_puts("a", "c"), Write(("b",), {"id": {"S": "b"}}, True, 10)]
    )

    assert set(service.items) == {"a", "c"}
    assert (outcome.skipped, outcome.refused) == (frozenset(), {})
    assert service.calls == ["BatchWriteItem"]


def test_what_is_left_unprocessed_is_sent_again_after_a_pause():
    service, cancellation = Service(per_call=10), Clockless()
    names = [f"item-{number}" for number in range(25)]
    _writer(service, cancellation).write(_puts(*names))

    assert sorted(service.items) == sorted(names)
    assert service.calls == ["BatchWriteItem"] * 3
    assert len(cancellation.slept) == 2


def test_a_table_that_takes_nothing_is_given_up_in_the_end():
    service, cancellation = Service(per_call=0), Clockless()

    with pytest.raises(ServiceError, match="left 2 items of a batch for table 'orders' unproc"):
        _writer(service, cancellation).write(_puts("a", "b"))
    assert max(cancellation.slept) <= 20
    assert len(service.calls) == 30


def test_an_item_that_is_refused_does_not_keep_the_others_out():
    service = Service()
    batch = [*_puts("a", "b"), *_puts("x", bad={"BOOL": True}), *_puts("c")]
    outcome = _writer(service).write(batch)

    assert set(service.items) == {"a", "b", "c"}
    assert outcome.refused == {("x",): "the item is bad"}


@pytest.mark.parametrize("writer", [ReplacingWriter, KeepingWriter])
def test_a_failing_service_is_named(writer):
    service = Service(error=_refusal("AccessDeniedException"))

    with pytest.raises(ServiceError, match=r"dynamodb:\w+ on table 'orders' in eu-west-1"):
        _writer(service, writer=writer).write(_puts("a"))


def test_items_of_the_table_are_kept():
    service = Service()
    service.items["a"] = {"id": {"S": "a"}, "old": {"BOOL": True}}
    outcome = _writer(service, writer=KeepingWriter).write(
        [*_puts("a", "b"), *_puts("x", bad={"BOOL": True})]
    )

    assert service.items["a"] == {"id": {"S": "a"}, "old": {"BOOL": True}}
    assert outcome.skipped == {("a",)}
    assert outcome.refused == {("x",): "the item is bad"}
    assert set(service.items) == {"a", "b"}


def test_deletions_do_not_go_with_keeping():
    with pytest.raises(UpdraftError, match="'skip' does not go with an incremental export"):
        _writer(Service(), writer=KeepingWriter).write([Write(("a",), {}, True, 1)])


def test_the_charge_is_taken_from_the_budget():
    budget = TokenBucket(1000, clock=lambda: 0.0)
    writer = ReplacingWriter(
        Service(), "orders", KeyReader({"id": "S"}), budget=budget, cancellation=Clockless()
    )
    writer.write(_puts(*"abcde"))

    assert budget._flowed - budget._reserved == 999
