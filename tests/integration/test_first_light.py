"""The story of `make demo`, and what bad input gets, with a real Airflow.

The demo runs once as a user runs it; the tests then look at what it left and go on using the
Airflow it keeps running.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from include.local import processes
from include.local.airflow import DOMAIN_ID, LocalAirflow
from include.local.clients import client
from include.local.demo import seed
from include.local.demo.airflow_api import AirflowApi
from include.local.demo.story import BUCKET, DAG_ID, TASK_ID
from include.local.demo.verify import lineage_events, verify_export
from include.local.layout import PROJECT, StateDirectory
from include.local.stack import LocalStack
from updraft.errors import UpdraftError
from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.outbox import DEAD_LETTERS, EventKey

pytestmark = pytest.mark.integration

ITEMS = 20_000


@dataclass
class Demo:
    """The running demo."""

    state: StateDirectory
    summary: dict[str, Any]
    api: AirflowApi
    aws: dict[str, str]

    def form(self, **changes: Any) -> dict[str, Any]:
        form = {
            "myOutputS3Loc": f"s3://{BUCKET}/by-test",
            "myDDBTableName": seed.TABLE,
            "myDDBReadThroughputRatio": 1.0,
            "myRegion": "us-east-1",
        }
        return form | changes

    def failed_attempt(self, form: dict[str, Any], seconds: float = 90) -> str:
        """Trigger a run whose first attempt fails, end it there, and return the attempt's log.

        A run that waits for its retry would keep the next one waiting: one is active at a time.
        """
        run_id = self.api.trigger(DAG_ID, form)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            (task,) = self.api.task_instances(DAG_ID, run_id)
            if task["state"] in ("up_for_retry", "failed"):
                self.api.mark_failed(DAG_ID, run_id)
                return self.api.log(DAG_ID, run_id, TASK_ID)
            assert task["state"] != "success"
            time.sleep(0.5)
        raise AssertionError(f"{run_id} did not fail")

    def keys(self, prefix: str) -> list[str]:
        found = client("s3", self.aws).list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", [])]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    state = StateDirectory(tmp_path_factory.mktemp("demo"))
    command = [sys.executable, "-m", "include.local.demo", "--state", str(state.root)]
    with (state.root / "demo.log").open("w") as log:
        running = subprocess.Popen(
            [*command, "--items", str(ITEMS)], cwd=PROJECT, stdout=log, stderr=log
        )
        try:
            while not state.summary.is_file() and running.poll() is None:
                time.sleep(0.5)
            assert state.summary.is_file(), (state.root / "demo.log").read_text()
            summary = json.loads(state.summary.read_text())
            stack = LocalStack(state.root)
            airflow = LocalAirflow(state, stack)
            api = AirflowApi(airflow.url, *airflow.login)
            yield Demo(state, summary, api, stack.environment())
            assert running.poll() is None
        finally:
            sockets = listening_sockets(state)
            subprocess.run(
                [sys.executable, "-m", "updraft.cli", "local", "down", "--state", str(state.root)],
                check=True,
                cwd=PROJECT,
            )
            assert running.wait(timeout=30) == 0
    assert processes.find(state.root) == []
    assert {ip for ip, _ in sockets} == {"127.0.0.1"}
    listening = {c.laddr.port for c in psutil.net_connections("tcp") if c.status == "LISTEN"}
    assert not {port for _, port in sockets} & listening


def listening_sockets(state: StateDirectory) -> set[tuple[str, int]]:
    """Addresses at which the demo's processes listen."""
    pids = {found.pid for found in processes.find(state.root)}
    return {
        (socket.laddr.ip, socket.laddr.port)
        for socket in psutil.net_connections("tcp")
        if socket.status == "LISTEN" and socket.pid in pids
    }


def test_the_story_is_told(demo: Demo) -> None:
    assert demo.summary["items"] == ITEMS
    assert demo.summary["events"] == ["START", "COMPLETE"]
    assert demo.summary["bytes"] > 100 * ITEMS
    assert demo.summary["files"] >= 1
    assert Path(demo.summary["dag_file"]).is_file()
    assert Path(demo.summary["report"]).is_file()


def test_no_secret_is_in_what_the_demo_leaves(demo: Demo) -> None:
    password = json.loads((demo.state.airflow_home / "secrets.json").read_text())["password"]
    told = [demo.state.summary, *demo.state.dags.rglob("*.py"), *demo.state.reports.rglob("*.*")]
    told += demo.state.outbox.rglob("*.json")
    assert len(told) > 4
    for path in told:
        assert password not in path.read_text()
    assert (demo.state.airflow_home / "secrets.json").stat().st_mode & 0o077 == 0


def test_the_form_is_typed_and_refuses_what_does_not_fit(demo: Demo) -> None:
    with pytest.raises(UpdraftError, match="myDDBReadThroughputRatio"):
        demo.api.trigger(DAG_ID, demo.form(myDDBReadThroughputRatio="much"))
    with pytest.raises(UpdraftError, match="myOutputS3Loc"):
        demo.api.trigger(DAG_ID, demo.form(myOutputS3Loc="not-an-address"))


def test_unused_legacy_parameters_do_no_harm_and_the_task_links_to_the_console(demo: Demo) -> None:
    form = demo.form(myInstanceType="m1.medium", myInstanceCount="2")
    run_id = demo.api.trigger(DAG_ID, form)
    assert demo.api.wait_for_run(DAG_ID, run_id)["state"] == "success"
    prefix = demo.api.xcom(DAG_ID, run_id, TASK_ID)["manifest"].split("/by-test/")[1]
    links = demo.api.links(DAG_ID, run_id, TASK_ID)
    assert links["Amazon S3 prefix"] == (
        f"https://console.aws.amazon.com/s3/buckets/{BUCKET}?region=us-east-1"
        f"&prefix=by-test/{prefix.removesuffix('manifest')}"
    )


def test_a_missing_table_fails_with_one_message_and_a_later_run_succeeds(demo: Demo) -> None:
    prefix = "missing-table"
    form = demo.form(myDDBTableName="late_orders", myOutputS3Loc=f"s3://{BUCKET}/{prefix}")
    log = demo.failed_attempt(form)
    assert "There is no table 'late_orders' in us-east-1" in log
    assert demo.keys(prefix) == []

    dynamodb = client("dynamodb", demo.aws)
    seed.create_table(dynamodb, "late_orders")
    seed.seed(dynamodb, 100, "late_orders")
    run_id = demo.api.trigger(DAG_ID, form)
    assert demo.api.wait_for_run(DAG_ID, run_id)["state"] == "success"
    manifest = demo.api.xcom(DAG_ID, run_id, TASK_ID)["manifest"]
    s3 = client("s3", demo.aws)
    assert verify_export(dynamodb, s3, "late_orders", seed.KEY, manifest).items == 100


def test_a_missing_bucket_fails_with_one_message(demo: Demo) -> None:
    log = demo.failed_attempt(demo.form(myOutputS3Loc="s3://no-such-bucket-here/x"))
    assert "no bucket 'no-such-bucket-here'" in log


def test_a_failed_task_tells_the_catalog(demo: Demo) -> None:
    demo.failed_attempt(demo.form(myDDBTableName="never_there"))
    datazone = client("datazone", demo.aws)
    deadline = time.monotonic() + 60
    failures: list[dict[str, Any]] = []
    while not failures and time.monotonic() < deadline:
        forwarding = demo.api.trigger("forward_lineage")
        assert demo.api.wait_for_run("forward_lineage", forwarding)["state"] == "success"
        failures = [
            event
            for event in lineage_events(datazone, DOMAIN_ID, f"{DAG_ID}.{TASK_ID}")
            if event["eventType"] == "FAIL"
            and "never_there" in event["run"]["facets"]["errorMessage"]["message"]
        ]
    assert failures


def test_an_event_that_the_catalog_refuses_is_set_aside_and_the_rest_goes_on(demo: Demo) -> None:
    datazone = client("datazone", demo.aws)
    before = len(lineage_events(datazone, DOMAIN_ID, f"{DAG_ID}.{TASK_ID}"))
    outbox = LocalOutbox(demo.state.outbox)
    refused = json.loads(outbox.read(next(iter(outbox.event_names()))))
    refused["run"]["runId"] = "not-a-uuid"
    body = json.dumps(refused).encode()
    outbox.put_event(body, EventKey.for_event(body, run_id="not-a-uuid", event_type="START"))
    run_id = demo.api.trigger(DAG_ID, demo.form(myOutputS3Loc=f"s3://{BUCKET}/after-broken"))
    assert demo.api.wait_for_run(DAG_ID, run_id)["state"] == "success"
    deadline = time.monotonic() + 60
    while len(lineage_events(datazone, DOMAIN_ID, f"{DAG_ID}.{TASK_ID}")) < before + 2:
        assert time.monotonic() < deadline
        forwarding = demo.api.trigger("forward_lineage")
        assert demo.api.wait_for_run("forward_lineage", forwarding)["state"] == "success"
    letters = [json.loads(outbox.read(name)) for name in outbox.names(DEAD_LETTERS)]
    assert ["run.runId" in letter["reason"] for letter in letters] == [True]


def test_a_killed_task_is_repeated_without_a_trace(demo: Demo) -> None:
    prefix = "killed"
    run_id = demo.api.trigger(DAG_ID, demo.form(myOutputS3Loc=f"s3://{BUCKET}/{prefix}"))
    outbox = LocalOutbox(demo.state.outbox)
    deadline = time.monotonic() + 60
    while not any(b'"killed/' in outbox.read(name) for name in outbox.event_names()):
        assert time.monotonic() < deadline  # START tells the prefix just before the export begins
        time.sleep(0.1)
    # The process of the task itself; the executor's, which survives, is "… LocalExecutor: …".
    working = [
        psutil.Process(process.pid)
        for process in processes.find(demo.state.root)
        if re.match(r"airflow worker -- [0-9a-f-]{36}", process.command[0])
    ]
    assert working
    for process in working:
        process.kill()
    while demo.api.task_instances(DAG_ID, run_id)[0]["state"] in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    (killed,) = demo.api.task_instances(DAG_ID, run_id)
    assert killed["state"] == "up_for_retry"
    assert not [key for key in demo.keys(prefix) if key.endswith("/manifest")]

    demo.api.clear(DAG_ID, run_id)
    assert demo.api.wait_for_run(DAG_ID, run_id)["state"] == "success"
    assert demo.api.task_instances(DAG_ID, run_id)[0]["try_number"] == 2
    manifest = demo.api.xcom(DAG_ID, run_id, TASK_ID)["manifest"]
    dynamodb, s3 = client("dynamodb", demo.aws), client("s3", demo.aws)
    assert verify_export(dynamodb, s3, seed.TABLE, seed.KEY, manifest).items == ITEMS
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


def test_a_second_demo_beside_a_running_one_is_refused(demo: Demo) -> None:
    command = [sys.executable, "-m", "include.local.demo", "--exit"]
    second = subprocess.run(
        [*command, "--state", str(demo.state.root)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert processes.find(demo.state.root)


def test_a_taken_port_is_one_sentence(demo: Demo, tmp_path: Path) -> None:
    port = demo.summary["airflow_url"].rsplit(":", 1)[1]
    command = [sys.executable, "-m", "include.local.demo", "--exit", "--state", str(tmp_path)]
    refused = subprocess.run(
        [*command, "--airflow-port", port], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert f"Port {port} on 127.0.0.1 is in use" in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.stderr
    assert processes.find(tmp_path) == []
