"""What has to hold for every DAG file before it may be deployed."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

from updraft.form_fields import refuse_unknown_fields

PROJECT = Path(__file__).parents[2]
DAGS = PROJECT / "dags"

# A DAG file that is missing here, or here and not there, fails the suite.
EXPECTED = {
    f"{name}.py": {name}
    for name in (
        "catalog_publish",
        "dynamodb_copy_across_regions",
        "dynamodb_export",
        "dynamodb_import",
        "dynamodb_incremental_export",
        "emr_steps",
        "forward_lineage",
        "lineage_doctor",
        "glue_cdc_upsert",
        "iceberg_column_statistics",
        "iceberg_table_metrics",
        "glue_job",
        "harvest_glue_crawls",
        "harvest_redshift_queries",
        "harvest_task_logs",
        "reap_orphans",
        "redshift_pause_resume",
        "redshift_resize",
        "redshift_scheduled_actions",
        "redshift_copy",
        "redshift_unload",
        "redshift_sql",
        "shell_command",
    )
}
# A run that was missed is a gap in the chain of changes; the runs do not depend on each other.
CATCHING_UP = {"dynamodb_incremental_export"}
ALLOWED_TAGS = {
    "data-pipeline",
    "dynamodb",
    "emr",
    "glue",
    "iceberg",
    "lineage",
    "maintenance",
    "redshift",
    "updraft",
}
HEAVY = ("awswrangler", "numpy", "pandas", "pyarrow")

# Parses each DAG file in a process of its own that can reach nothing, and says what it found. All
# of them have Airflow from the process above, since to import it takes longest.
PROBE = """
import json, os, socket, sys, time
from airflow.dag_processing.dagbag import DagBag
import airflow.providers.amazon.aws.operators.base_aws

def refuse(*arguments, **keywords):
    raise OSError("a DAG file opened a connection while it was parsed")

def parse(path):
    begun = time.process_time()
    bag = DagBag(dag_folder=path)
    import updraft
    print(json.dumps({
        "file": os.path.basename(path),
        "seconds": time.process_time() - begun,
        "errors": bag.import_errors,
        "dags": sorted(bag.dags),
        "modules": sorted(sys.modules),
        "updraft": updraft.__file__,
    }), flush=True)

socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
assert "updraft" not in sys.modules
for path in sys.argv[1:]:
    child = os.fork()
    if not child:
        parse(path)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, path
"""


def probe(home: Path, plugins: Path = PROJECT / "plugins") -> dict[str, dict]:
    """Parse all DAG files; give what was found by name of the file."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW_CONN", "AIRFLOW_VAR", "AWS_"))
    } | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////nonexistent/airflow.db",
        "PYTHONPATH": str(plugins),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *(str(DAGS / name) for name in sorted(EXPECTED))],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {one["file"]: one for one in found}


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(dag_folder=str(DAGS))


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    return probe(tmp_path_factory.mktemp("airflow"))


@pytest.fixture(params=sorted(EXPECTED))
def probed(request: pytest.FixtureRequest, probes: dict[str, dict]) -> dict:
    return probes[request.param]


@pytest.fixture(scope="module")
def dags(bag: DagBag, tmp_path_factory: pytest.TempPathFactory) -> list:
    """The project's DAGs, and two of the converter: they have to meet the same rules."""
    folder = tmp_path_factory.mktemp("converted")
    folder_of_samples = PROJECT / "include" / "definitions"
    samples = ("export-dynamodb-table-to-s3", "load-redshift-from-s3")
    definitions = [str(folder_of_samples / f"{name}.json") for name in samples]
    command = [sys.executable, "-m", "updraft.cli", "convert", *definitions]
    subprocess.run([*command, "--output", str(folder / "dags")], check=True, capture_output=True)
    converted = DagBag(dag_folder=str(folder / "dags"))
    assert converted.import_errors == {}
    assert set(converted.dags) == {name.replace("-", "_") for name in samples}
    assert bag.dags
    return [*bag.dags.values(), *converted.dags.values()]


def test_every_file_is_expected_and_gives_its_dags(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert {path.name for path in DAGS.glob("**/*.py")} == set(EXPECTED)
    found: dict[str, set[str]] = {}
    for dag in bag.dags.values():
        found.setdefault(Path(dag.fileloc).name, set()).add(dag.dag_id)
    assert found == EXPECTED


def test_every_dag_has_tags_of_the_list(dags: list) -> None:
    for dag in dags:
        assert dag.tags, dag.dag_id
        assert set(dag.tags) <= ALLOWED_TAGS, dag.dag_id


def test_every_task_has_an_owner_and_retries(dags: list) -> None:
    for dag in dags:
        assert dag.tasks, dag.dag_id
        for task in dag.tasks:
            assert task.owner not in ("", "airflow"), task
            assert task.retries is not None, task
            assert task.retries >= 1, task


def test_every_dag_has_its_manual(dags: list) -> None:
    for dag in dags:
        assert dag.doc_md, dag.dag_id
        assert len(dag.doc_md.split()) > 30, dag.dag_id
        for name in dag.params:
            assert name in dag.doc_md, f"{dag.dag_id}: its manual does not name {name}"


def test_every_parameter_is_typed_explained_and_valid(dags: list) -> None:
    for dag in dags:
        for name in dag.params:
            param = dag.params.get_param(name)
            assert "type" in param.schema, (dag.dag_id, name)
            words = (
                param.description,
                param.schema.get("description_md"),
                param.schema.get("title"),
            )
            assert any(words), (dag.dag_id, name)
            if param.has_value:
                param.resolve()
        if dag.timetable.can_be_scheduled:
            dag.params.validate()


def test_a_field_that_no_form_has_fails_every_task(dags: list) -> None:
    for dag in dags:
        if f"{dag.dag_id}.py" not in EXPECTED:
            continue  # a converted DAG, whose form is its owner's
        for task in dag.tasks:
            hook = task.partial_kwargs["pre_execute"] if task.is_mapped else task._pre_execute_hook
            assert hook is refuse_unknown_fields, f"{dag.dag_id}.{task.task_id}"


def test_no_dag_catches_up_or_overlaps_unasked(dags: list) -> None:
    for dag in dags:
        assert dag.catchup is (dag.dag_id in CATCHING_UP), dag.dag_id
        assert (dag.max_active_runs == 1) is (dag.dag_id not in CATCHING_UP), dag.dag_id


def test_a_dag_file_parses_without_network_database_or_connections(probed: dict) -> None:
    assert probed["errors"] == {}
    assert set(probed["dags"]) == EXPECTED[probed["file"]]


def test_a_dag_file_imports_nothing_heavy(probed: dict) -> None:
    assert "updraft.compat" in probed["modules"]
    assert not set(HEAVY) & set(probed["modules"])


def test_a_dag_file_parses_within_its_budget(probed: dict) -> None:
    # Processor seconds after Airflow and the provider's base are imported, with a wide margin:
    # it is there to catch a file that computes or loads something while it is parsed.
    assert probed["seconds"] < 3


def test_the_packaged_layout_parses_like_the_checkout(tmp_path: Path) -> None:
    archive = tmp_path / "plugins.zip"
    subprocess.run(
        [sys.executable, "-m", "updraft.cli", "package", "--output", str(archive)],
        check=True,
        capture_output=True,
    )
    plugins = tmp_path / "plugins"
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(plugins)
    assert not (plugins / "include" / "local").exists()
    assert (plugins / "include" / "definitions").is_dir()
    home = tmp_path / "home"
    home.mkdir()
    probes = probe(home, plugins)
    for name, ids in EXPECTED.items():
        found = probes[name]
        assert found["errors"] == {}
        assert set(found["dags"]) == ids
        assert found["updraft"].startswith(str(plugins))
