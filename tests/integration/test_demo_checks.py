"""The demo's own checks must be able to fail: each kind of damage is found."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from include.local.clients import client
from include.local.demo import seed
from include.local.demo.verify import Export, verify_export
from updraft.errors import UpdraftError

pytestmark = pytest.mark.integration

TABLE = "checked_orders"
BUCKET = "checked-exports"
ITEMS = 30
LEGACY_KEYS = {"SS": "sS", "NS": "nS", "BS": "bS", "BOOL": "bOOL", "NULL": "nULL"}


def legacy(attribute: dict[str, Any]) -> dict[str, Any]:
    """Write an attribute the way the legacy tool did, independently of the product's writer."""
    ((kind, value),) = attribute.items()
    if kind == "M":
        value = {name: legacy(member) for name, member in value.items()}
    elif kind == "L":
        value = [legacy(member) for member in value]
    elif kind == "B":
        value = base64.b64encode(value).decode()
    elif kind == "BS":
        value = [base64.b64encode(member).decode() for member in value]
    return {LEGACY_KEYS.get(kind, kind.lower()): value}


@dataclass
class Written:
    """An export that a test may damage before it is checked."""

    dynamodb: Any
    s3: Any
    prefix: str
    lines: list[str]

    @property
    def file(self) -> str:
        return f"{self.prefix}/data"

    def put(self, key: str, body: str) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())

    def write(self, names: list[str] | None = None) -> None:
        self.put(self.file, "\n".join(self.lines) + "\n")
        entries = [{"url": f"s3://{BUCKET}/{name}"} for name in names or [self.file]]
        manifest = {"name": "DynamoDB-export", "version": 3, "entries": entries}
        self.put(f"{self.prefix}/manifest", json.dumps(manifest))

    def check(self) -> Export:
        uri = f"s3://{BUCKET}/{self.prefix}/manifest"
        return verify_export(self.dynamodb, self.s3, TABLE, seed.KEY, uri)


@pytest.fixture
def written(local_stack: Any, request: pytest.FixtureRequest) -> Written:
    dynamodb = client("dynamodb", local_stack.environment)
    s3 = client("s3", local_stack.environment)
    seed.create_table(dynamodb, TABLE)
    seed.seed(dynamodb, ITEMS, TABLE)
    s3.create_bucket(Bucket=BUCKET)
    items = dynamodb.scan(TableName=TABLE)["Items"]
    lines = [json.dumps({name: legacy(value) for name, value in item.items()}) for item in items]
    return Written(dynamodb, s3, request.node.name, lines)


def test_seeded_items_use_all_ten_types() -> None:
    def kinds(attribute: dict[str, Any]) -> set[str]:
        ((kind, value),) = attribute.items()
        inner = value.values() if kind == "M" else value if kind == "L" else ()
        return {kind}.union(*map(kinds, inner))

    item = seed.order(7)
    assert set().union(*map(kinds, item.values())) == {
        *("S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL")
    }
    assert seed.order(7) == item
    assert seed.order(8) != item


def test_a_good_export_passes(written: Written) -> None:
    written.write()
    found = written.check()
    assert (found.items, found.files) == (ITEMS, 1)
    assert found.bytes == len("\n".join(written.lines).encode()) + 1


def edit(change: Callable[[dict[str, Any]], None]) -> Callable[[Written], None]:
    def damage(written: Written) -> None:
        item = json.loads(written.lines[4])
        change(item)
        written.lines[4] = json.dumps(item)

    return damage


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda written: written.lines.pop(3), "missing or differs"),
        (lambda written: written.lines.append(written.lines[0]), "repeats the item"),
        (edit(lambda item: item["amount"].update(n=item["amount"]["n"][:-1])), "differs"),
        (edit(lambda item: item["labels"]["sS"].pop()), "differs"),
        (edit(lambda item: item.pop("coupon")), "differs"),
        (edit(lambda item: item["order_id"].update(s="order-new")), "missing or differs"),
        (lambda written: written.lines.append(extra(written.lines[0])), "has not"),
    ],
    ids=["lost", "doubled", "digit", "member", "attribute", "renamed", "added"],
)
def test_damaged_items_are_found(
    written: Written, damage: Callable[[Written], Any], complaint: str
) -> None:
    damage(written)
    written.write()
    with pytest.raises(UpdraftError, match=complaint):
        written.check()


def extra(line: str) -> str:
    item = json.loads(line)
    item["order_id"] = {"s": "order-of-nobody"}
    return json.dumps(item)


def test_a_stray_file_is_found(written: Written) -> None:
    written.put(f"{written.prefix}/stray", "")
    written.write()
    with pytest.raises(UpdraftError, match="stray"):
        written.check()


def test_a_missing_file_is_found(written: Written) -> None:
    written.write(names=[written.file, f"{written.prefix}/gone"])
    with pytest.raises(UpdraftError, match="gone"):
        written.check()
