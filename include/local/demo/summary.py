"""What the demo tells at its end."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass
class Step:
    """One step of the demo.

    :param title: what it did.
    :param seconds: how long it took.
    """

    title: str
    seconds: float = 0.0


@dataclass
class Summary:
    """Result of the demo.

    :param steps: what ran, in order.
    :param items: items in the export, each equal to the table's.
    :param bytes: size of the data files, in bytes.
    :param files: number of data files.
    :param events: types of the export's events in the catalog, in order.
    :param table_arn: ARN of the table.
    :param job: name of the job between table and export.
    :param manifest: ``s3://`` address of the export's manifest.
    :param dag_file: the DAG that the converter wrote.
    :param report: its report.
    :param airflow_url: address of the Airflow UI.
    :param aws_url: address of the stand-in for AWS.
    :param user: login of the Airflow UI.
    :param password: its password.
    """

    steps: list[Step]
    items: int
    bytes: int
    files: int
    events: list[str]
    table_arn: str
    job: str
    manifest: str
    dag_file: Path
    report: Path
    airflow_url: str
    aws_url: str
    user: str
    password: str

    def save(self, path: Path) -> None:
        """Write the summary as JSON; the password stays out.

        :param path: file to write.
        """
        content = asdict(self)
        del content["password"]
        text = json.dumps(content, indent=2, default=str) + "\n"
        # In one step, because others wait for this file.
        whole = path.with_suffix(".part")
        whole.write_text(text, encoding="utf-8")
        whole.replace(path)


def render(summary: Summary, console: Console) -> None:
    """Print the summary.

    :param summary: what to print.
    :param console: where to.
    """
    steps = Table("What ran", "Seconds", title="First light")
    steps.columns[1].justify = "right"
    for step in summary.steps:
        steps.add_row(step.title, f"{step.seconds:.1f}")
    steps.add_section()
    steps.add_row("In all", f"{sum(step.seconds for step in summary.steps):.1f}")
    console.print(steps)
    prefix = summary.manifest.removesuffix("/manifest")
    for name, value in (
        ("Exported", f"{summary.items:,} items, {summary.bytes:,} bytes, {summary.files} files"),
        ("Manifest", summary.manifest),
        ("Events in the catalog", " → ".join(summary.events)),
        ("Lineage", f"{summary.table_arn} → {summary.job} → {prefix}"),
        ("Converted DAG", str(summary.dag_file)),
        ("Report", str(summary.report)),
        ("Airflow UI", f"{summary.airflow_url}/dags/{summary.dag_file.stem}"),
        ("Login", f"{summary.user} / {summary.password}"),
        ("AWS endpoint", summary.aws_url),
    ):
        # Unbroken lines, so that an address can be taken up by mouse.
        console.print(f"[b]{name:<22}[/b] {value}", soft_wrap=True)
