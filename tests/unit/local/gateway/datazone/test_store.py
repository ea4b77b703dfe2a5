import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from include.local.gateway.services.datazone.events import EventReader
from include.local.gateway.services.datazone.graph import fragment
from include.local.gateway.services.datazone.records import EventQuery, Posting
from include.local.gateway.services.datazone.source_identifiers import Caller
from include.local.gateway.services.datazone.store import LineageStore

ROOT = Path(__file__).resolve().parents[5]
DOMAIN = "dzd_test"


def posting(token: str | None, **changes: Any) -> Posting:
    content = {
        "eventType": "START",
        "eventTime": "2026-11-22T20:00:00Z",
        "producer": "https://example.com/test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "01941f29-7c00-7087-8940-40e5d762e32d"},
        "job": {"namespace": "n", "name": "j"},
        "inputs": [{"namespace": "s3://b", "name": "in"}],
        "outputs": [{"namespace": "s3://b", "name": "out"}],
        **changes,
    }
    event = EventReader().read(json.dumps(content).encode())
    addition = fragment(event, DOMAIN, Caller("111122223333", "us-east-1"))
    return Posting(DOMAIN, token, event, "arn:test", addition)


def test_without_token_every_post_is_new(tmp_path: Path) -> None:
    store = LineageStore(tmp_path / "lineage.sqlite3")
    assert store.add(posting(None)).id != store.add(posting(None)).id
    store.close()


def test_neighbours_are_limited_to_the_latest(tmp_path: Path) -> None:
    store = LineageStore(tmp_path / "lineage.sqlite3")
    for minute in range(5):
        time = f"2026-11-22T20:0{minute}:00Z"
        run = {"runId": f"01941f29-7c00-7087-8940-40e5d762e32{minute}"}
        store.add(posting(str(minute), eventTime=time, run=run))
    node = store.node(DOMAIN, "s3://b/out", neighbours=3)
    assert node is not None
    minutes = [moment.minute for _, moment in node.upstream]
    assert minutes == [4, 3, 2]
    store.close()


def test_self_loop_is_two_edges(tmp_path: Path) -> None:
    store = LineageStore(tmp_path / "lineage.sqlite3")
    same = [{"namespace": "s3://b", "name": "same"}]
    store.add(posting("1", inputs=same, outputs=same))
    node = store.node(DOMAIN, "s3://b/same", neighbours=100)
    assert node is not None
    assert node.upstream == node.downstream
    assert len(node.upstream) == 1
    store.close()


KILLED = """
import sys
sys.path[:0] = [sys.argv[1]]
from pathlib import Path
sys.path.append(str(Path(sys.argv[1]) / "tests/unit/local/gateway/datazone"))
from test_store import LineageStore, posting
store = LineageStore(Path(sys.argv[2]))
for number in range(100000):
    store.add(posting(str(number)))
    print(number, flush=True)
"""


@pytest.mark.parametrize("heard", [1, 20])
def test_what_was_confirmed_survives_a_kill(tmp_path: Path, heard: int) -> None:
    path = tmp_path / "lineage.sqlite3"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(ROOT), str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        confirmed = [int(writer.stdout.readline()) for _ in range(heard)]
        writer.send_signal(signal.SIGKILL)
    store = LineageStore(path)
    stored = store.events(EventQuery(DOMAIN, ascending=True), limit=1000)
    assert len(stored) >= len(confirmed)
    # What comes after the kill is numbered on, and the store is whole.
    assert [event.sequence for event in stored] == list(range(1, len(stored) + 1))
    assert store.add(posting("0")).id == stored[0].id
    assert store.add(posting("new")).sequence == len(stored) + 1
    store.close()
