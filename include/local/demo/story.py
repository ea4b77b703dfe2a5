"""The steps of the demo, in the order in which a user would take them."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from include.local import ports, processes
from include.local.airflow import DOMAIN_ID, LocalAirflow
from include.local.clients import client
from include.local.demo import seed
from include.local.demo.airflow_api import AirflowApi
from include.local.demo.summary import Step, Summary
from include.local.demo.verify import Export, lineage_events, verify_export, verify_graph
from include.local.layout import PROJECT, StateDirectory
from include.local.stack import LocalStack
from updraft.errors import UpdraftError
from updraft.lineage.validation import check

DEFINITION = PROJECT / "include" / "definitions" / "export-dynamodb-table-to-s3.json"
BUCKET = "updraft-demo"
DAG_ID = "export_dynamodb_table_to_s3"
TASK_ID = "table_backup_activity"
EVENTS = ["START", "COMPLETE"]


@dataclass
class Story:
    """One run of the demo.

    :param state: where everything is kept.
    :param console: where progress is shown.
    :param items: items in the table.
    """

    state: StateDirectory
    console: Console
    items: int
    steps: list[Step] = field(default_factory=list)
    started: bool = False

    def __post_init__(self) -> None:
        """Name what will run."""
        self.stack = LocalStack(self.state.root)
        self.airflow = LocalAirflow(self.state, self.stack)

    @contextmanager
    def _step(self, title: str) -> Iterator[Step]:
        step = Step(title)
        begun = time.monotonic()
        with self.console.status(f"{title} …"):
            yield step
        step.seconds = time.monotonic() - begun
        self.steps.append(step)
        self.console.print(f"[green]✓[/green] {title} [dim]{step.seconds:.1f} s[/dim]")

    def start(self, airflow_port: int | None, aws_port: int | None) -> None:
        """Start the local stack, seed the table, start Airflow.

        :param airflow_port: port of the Airflow UI, or None for a free one.
        :param aws_port: port of the stand-in for AWS, or None for a free one.
        :raises UpdraftError: when something is in the way.
        """
        if processes.find(self.state.root):
            raise UpdraftError(
                f"Something already runs with the state in {self.state.root}; end it by `make down`"
            )
        for port in (airflow_port, aws_port):
            if port is not None:
                ports.require_free(port)
        if airflow_port is not None and airflow_port == aws_port:
            raise UpdraftError(f"Airflow and AWS can't both have port {aws_port}; choose another")
        self.started = True
        with self._step("Starting the stand-in for AWS"):
            self.stack.up(aws_port)
            self.aws = self.stack.environment()
        self._seed()
        with self._step("Starting Airflow"):
            self.airflow.up(airflow_port)

    def _seed(self) -> None:
        begun = time.monotonic()
        dynamodb, s3 = client("dynamodb", self.aws), client("s3", self.aws)
        s3.create_bucket(Bucket=BUCKET)
        seed.create_table(dynamodb)
        columns = (
            TextColumn("Seeding the DynamoDB table"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        watched = self.console.is_terminal
        with Progress(*columns, console=self.console, transient=True, disable=not watched) as bar:
            task = bar.add_task("seed", total=self.items)
            seed.seed(dynamodb, self.items, progress=lambda written: bar.advance(task, written))
        seconds = time.monotonic() - begun
        title = f"Seeding the DynamoDB table {seed.TABLE} with {self.items:,} items"
        self.steps.append(Step(title, seconds))
        self.console.print(f"[green]✓[/green] {title} [dim]{seconds:.1f} s[/dim]")

    def tell(self) -> Summary:
        """Convert, run, forward and verify.

        :returns: what ran and what came out.
        :raises UpdraftError: when a step fails or a check does not hold.
        """
        with self._step(f"Converting {DEFINITION.relative_to(PROJECT)}"):
            dag_file = self._convert()
        with self._step("Waiting for Airflow to read the DAG"):
            api = AirflowApi(self.airflow.url, *self.airflow.login)
            for dag_id in (DAG_ID, "forward_lineage"):
                api.wait_for_dag(dag_id)
                api.unpause(dag_id)
        with self._step(f"Running {DAG_ID}"):
            run_id = self._run(api, DAG_ID, self._form())
            result = api.xcom(DAG_ID, run_id, TASK_ID)
        with self._step("Running forward_lineage"):
            events = self._forward(api, result["manifest"])
        with self._step("Comparing the export with the table, item by item"):
            export = self._verify_export(result["manifest"])
        with self._step("Following the lineage in the catalog"):
            self._verify_lineage(events, result)
        user, password = self.airflow.login
        summary = Summary(
            steps=self.steps,
            items=export.items,
            bytes=export.bytes,
            files=export.files,
            events=[event["eventType"] for event in events],
            table_arn=result["table_arn"],
            job=f"{DAG_ID}.{TASK_ID}",
            manifest=result["manifest"],
            dag_file=dag_file,
            report=self.state.reports / f"{DAG_ID}.md",
            airflow_url=self.airflow.url,
            aws_url=self.stack.endpoint_url,
            user=user,
            password=password,
        )
        summary.save(self.state.summary)
        return summary

    @staticmethod
    def _form() -> dict[str, Any]:
        return {
            "myOutputS3Loc": f"s3://{BUCKET}/orders",
            "myDDBTableName": seed.TABLE,
            "myDDBReadThroughputRatio": 1.0,
            "myRegion": "us-east-1",
        }

    def _convert(self) -> Path:
        command = [sys.executable, "-m", "updraft.cli", "convert", str(DEFINITION)]
        command += ["--output", str(self.state.dags), "--report", str(self.state.reports)]
        result = subprocess.run(  # noqa: S603  the command is ours
            command, check=False, capture_output=True, text=True
        )
        if result.returncode:
            raise UpdraftError(f"`updraft convert` failed:\n{result.stdout}{result.stderr}")
        return self.state.dags / f"{DAG_ID}.py"

    def _run(self, api: AirflowApi, dag_id: str, form: dict[str, Any] | None = None) -> str:
        run_id = api.trigger(dag_id, form)
        run = api.wait_for_run(dag_id, run_id)
        if run["state"] != "success":
            logs = "\n".join(
                api.log(dag_id, run_id, task["task_id"], task["try_number"])
                for task in api.task_instances(dag_id, run_id)
            )
            raise UpdraftError(f"The run {run_id} of {dag_id} failed:\n{logs[-4000:]}")
        return run_id

    def _forward(self, api: AirflowApi, manifest: str, seconds: float = 90) -> list[dict[str, Any]]:
        """Run the forwarder until the catalog has both events of the export.

        The listener writes a task's last event when Airflow already calls the task done, so a
        first pass may come too early for it.
        """
        deadline = time.monotonic() + seconds
        datazone = client("datazone", self.aws)
        output = manifest.removesuffix("/manifest").split("/", 3)[3]
        while True:
            self._run(api, "forward_lineage")
            events = lineage_events(datazone, DOMAIN_ID, f"{DAG_ID}.{TASK_ID}")
            run_ids = {
                event["run"]["runId"]
                for event in events
                for dataset in event.get("outputs", [])
                if dataset["name"] == output
            }
            own = [event for event in events if event["run"]["runId"] in run_ids]
            if [event["eventType"] for event in own] == EVENTS:
                return own
            if time.monotonic() > deadline:
                found = [event["eventType"] for event in own]
                raise UpdraftError(f"The catalog holds {found} of the export's run, not {EVENTS}")
            time.sleep(1)

    def _verify_export(self, manifest: str) -> Export:
        export = verify_export(
            client("dynamodb", self.aws), client("s3", self.aws), seed.TABLE, seed.KEY, manifest
        )
        if export.items != self.items:
            raise UpdraftError(f"The table holds {export.items} items, not {self.items}")
        return export

    def _verify_lineage(self, events: list[dict[str, Any]], result: dict[str, Any]) -> None:
        for event in events:
            check(event)
        verify_graph(
            client("datazone", self.aws),
            DOMAIN_ID,
            source=result["table_arn"],
            run_id=events[0]["run"]["runId"],
            target=result["manifest"].removesuffix("/manifest"),
        )

    def wait(self) -> None:
        """Wait until a person ends it, here by Ctrl-C or elsewhere by ``make down``."""
        while processes.find(self.state.root):
            time.sleep(2)
        self.console.print("Everything has been ended.")

    def stop(self) -> None:
        """End everything that was started."""
        if processes.find(self.state.root):
            self.console.print("Ending everything, which takes some seconds …")
            self.airflow.down()
            self.stack.down()
            processes.stop(self.state.root)
            self.console.print("Everything has been ended; nothing is left running.")
