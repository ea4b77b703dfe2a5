"""Changes of a database become a Delta table: the script really runs, on Sail, with its bookmark.

Each run takes some five seconds, so a test looks at all that can be seen of its runs.
"""

import gzip
import json
import os
import random
import subprocess
import time
import uuid
from types import SimpleNamespace

import boto3
import pytest
from airflow.dag_processing.dagbag import DagBag

from include.local import sail
from include.local.gateway.services.glue.bookmarks import JobBookmarks
from include.local.layout import PROJECT

pytestmark = pytest.mark.integration

SCRIPT = PROJECT / "include" / "glue" / "cdc_upsert.py"
ROLE = "arn:aws:iam::123456789012:role/glue"
POSITION = "_cdc_position"


@pytest.fixture(scope="module")
def cloud(local_stack):
    sail.prepare()
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    s3, glue, athena = (
        session.client(service, endpoint_url=local_stack.endpoint_url)
        for service in ("s3", "glue", "athena")
    )
    glue.create_database(DatabaseInput={"Name": "cdc"})
    return SimpleNamespace(s3=s3, glue=glue, athena=athena, url=local_stack.endpoint_url)


class Source:
    """A source table, its log on S3, and the reference: what its rows are."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.bucket = f"cdc-{uuid.uuid4()}"
        cloud.s3.create_bucket(Bucket=self.bucket)
        self.source_uri = f"s3://{self.bucket}/raw/"
        self.table_uri = f"s3://{self.bucket}/lake/customer"
        self.table = f"t_{uuid.uuid4().hex}"
        self.job = self.table
        self.rows = {}
        self.position = 0
        self.files = 0
        cloud.s3.upload_file(str(SCRIPT), self.bucket, "cdc_upsert.py")
        cloud.glue.create_job(
            Name=self.job,
            Role=ROLE,
            Command={"Name": "glueetl", "ScriptLocation": f"s3://{self.bucket}/cdc_upsert.py"},
            DefaultArguments={"--datalake-formats": "delta"},
        )

    def change(self, operation, row, *, before=None, position=None, ts=None, envelope=False):
        if position is None:
            self.position += 1
            position = self.position
        event = {
            "op": operation,
            "before": before,
            "after": None if operation == "d" else row,
            "source": {
                # neither in the order of commits nor unique: statements wait for locks
                "ts_ms": position * 7919 % 31 if ts is None else ts,
                "file": f"binlog.{position // 10:06d}",
                "pos": position,
                "row": 0,
                "db": "sales",
                "table": "customer",
            },
            "ts_ms": 1,
        }
        return {"schema": _schema(row), "payload": event} if envelope else event

    def insert(self, row, **options):
        self.rows[row["id"], row["part"]] = row
        return self.change("c", row, **options)

    def update(self, row, **options):
        self.rows[row["id"], row["part"]] = row
        return self.change("u", row, **options)

    def delete(self, id_, part, **options):
        before = self.rows.pop((id_, part), {"id": id_, "part": part})
        return self.change("d", None, before=before, **options)

    def put(self, *events, compress=False, key=None):
        body = "".join("null\n" if e is None else json.dumps(e) + "\n" for e in events).encode()
        key = key or f"raw/day=1/customer+0+{self.files:010d}.json{'.gz' if compress else ''}"
        self.files += 1
        self.cloud.s3.put_object(
            Bucket=self.bucket, Key=key, Body=gzip.compress(body) if compress else body
        )
        return key

    def arguments(self, **others):
        return {
            "--source_uri": self.source_uri,
            "--table_uri": self.table_uri,
            "--key_columns": "id, part",
            "--database": "cdc",
            "--table": self.table,
            "--job-bookmark-option": "job-bookmark-enable",
            **others,
        }

    def run(self, job=None, **others):
        """Run the job to its end."""
        glue, job = self.cloud.glue, job or self.job
        run_id = glue.start_job_run(JobName=job, Arguments=self.arguments(**others))["JobRunId"]
        deadline = time.monotonic() + 120
        while True:
            run = glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]
            if run["JobRunState"] not in {"STARTING", "RUNNING", "STOPPING"}:
                return run
            assert time.monotonic() < deadline
            time.sleep(0.3)

    def succeed(self, **others):
        run = self.run(**others)
        assert run["JobRunState"] == "SUCCEEDED", run.get("ErrorMessage")
        return run

    def query(self, sql):
        athena = self.cloud.athena
        query_id = athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": "cdc"},
            ResultConfiguration={"OutputLocation": f"s3://{self.bucket}/athena"},
        )["QueryExecutionId"]
        while True:
            status = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"][
                "Status"
            ]
            if status["State"] not in {"QUEUED", "RUNNING"}:
                break
            time.sleep(0.05)
        assert status["State"] == "SUCCEEDED", status
        names, *rows = (
            [value.get("VarCharValue") for value in row["Data"]]
            for page in athena.get_paginator("get_query_results").paginate(
                QueryExecutionId=query_id
            )
            for row in page["ResultSet"]["Rows"]
        )
        return [dict(zip(names, row, strict=True)) for row in rows]

    def found(self):
        """The rows of the table as Athena sees them, as text, by key."""
        rows = self.query(f'SELECT * FROM "{self.table}"')
        by_key = {}
        for row in rows:
            del row[POSITION]
            key = row["id"], row["part"]
            assert key not in by_key, f"{key} is there twice"
            by_key[key] = {name: value for name, value in row.items() if value is not None}
        return by_key

    def expected(self):
        return {
            (str(id_), part): {
                name: _text(value) for name, value in row.items() if value is not None
            }
            for (id_, part), row in self.rows.items()
        }

    def lines(self, prefix):
        """The lines that a run has set aside."""
        s3 = self.cloud.s3
        keys = s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", ())
        bodies = (s3.get_object(Bucket=self.bucket, Key=entry["Key"])["Body"] for entry in keys)
        records = [line for body in bodies for line in body.read().splitlines()]
        return [json.loads(json.loads(record)["line"]) for record in records]

    def versions(self):
        keys = self.cloud.s3.list_objects_v2(Bucket=self.bucket, Prefix="lake/")["Contents"]
        return {entry["Key"]: entry["ETag"] for entry in keys}


def _text(value):
    if isinstance(value, (list, dict)):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _schema(row):
    kinds = {int: "int64", float: "double", str: "string", bool: "boolean"}
    fields = [{"field": n, "type": kinds.get(type(v), "string")} for n, v in (row or {}).items()]
    return {
        "type": "struct",
        "fields": [
            {"field": side, "type": "struct", "fields": fields} for side in ("before", "after")
        ],
    }


@pytest.fixture
def source(cloud):
    return Source(cloud)


def _random_events(source, generator, count, columns):
    """Random inserts, updates and deletes of few keys, so that many hit the same."""
    for _ in range(count):
        key = generator.randrange(12), generator.choice("ab'ö\\")
        envelope = generator.random() < 0.5
        if key in source.rows and generator.random() < 0.35:
            yield source.delete(*key, envelope=envelope)
            yield None
        elif generator.random() < 0.05:
            yield source.delete(*key, envelope=envelope)  # perhaps of a key that is not there
        else:
            row = {"id": key[0], "part": key[1]}
            row |= {name: make(generator) for name, make in columns.items()}
            change = source.update if key in source.rows else source.insert
            yield change(row, envelope=envelope)


def test_the_table_equals_the_source_after_each_run(source):
    generator = random.Random(2)
    columns = {
        "name": lambda g: g.choice([None, "", "O'Brien", '日本 "x"', "a,b\\n"]),
        "active": lambda g: g.choice([True, False]),
        "amount": lambda g: g.choice([1.25, -2.5, None]),
    }
    later = {
        "note": lambda g: g.choice([None, "new"]),
        "tags": lambda g: {"k": [1, g.randrange(5)]},
    }
    sent = []
    for number in range(3):
        events = list(_random_events(source, generator, 80, columns))
        generator.shuffle(events)  # the order in the files is not the order of the changes
        sent += [
            source.put(*events[start : start + 40], compress=start == 0)
            for start in range(0, len(events), 40)
        ]
        if number:
            source.cloud.s3.copy_object(  # a file that comes twice
                Bucket=source.bucket,
                Key=f"raw/again+0+{number:010d}.json.gz",
                CopySource={"Bucket": source.bucket, "Key": sent[0]},
            )
        source.succeed()
        assert source.found() == source.expected(), f"after run {number}"
        columns |= later

    before = source.versions()
    bookmark = source.cloud.glue.get_job_bookmark(JobName=source.job)["JobBookmarkEntry"]
    assert bookmark["Run"] == 3
    source.succeed()
    assert source.versions() == before

    source.cloud.glue.reset_job_bookmark(JobName=source.job)  # everything is read once more
    source.succeed()
    assert source.found() == source.expected()


def _child(source, cloud, tmp_path, *, dies):
    """Run the script as Glue does, in a process that dies when it would keep the bookmark."""
    bookmarks = JobBookmarks(tmp_path / "bookmarks")
    program = tmp_path / "script.py"
    code = SCRIPT.read_text()
    if dies:
        kill = "os.kill(os.getpid(), signal.SIGKILL)"
        code = code.replace(
            'if __name__ == "__main__":',
            f"import os, signal\nimport awsglue.job\n"
            f"awsglue.job.Job.commit = lambda self: {kill}\n\n"
            'if __name__ == "__main__":',
        )
    program.write_text(code)
    arguments = ["--JOB_NAME", source.job, "--JOB_RUN_ID", f"jr_{uuid.uuid4().hex}"]
    for item in source.arguments().items():
        arguments += item
    return subprocess.run(
        sail.submit_command(program, arguments),
        env={
            "HOME": os.environ["HOME"],
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": cloud.url,
            **sail.variables(cloud.url),
            **bookmarks.variables("us-east-1", source.job),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_job_that_died_between_merge_and_bookmark_does_no_harm(source, cloud, tmp_path):
    source.put(
        source.insert({"id": 1, "part": "a", "n": 1}), source.insert({"id": 2, "part": "a", "n": 1})
    )
    assert _child(source, cloud, tmp_path, dies=False).returncode == 0
    old = source.change("u", {"id": 2, "part": "a", "n": -1}, position=2, ts=0)
    source.put(source.update({"id": 1, "part": "a", "n": 2}), source.delete(2, "a"))

    died = _child(source, cloud, tmp_path, dies=True)
    assert died.returncode == -9
    assert source.found() == source.expected()  # the merge was done

    source.put(old, source.update({"id": 1, "part": "a", "n": 3}), source.delete(7, "x"))
    again = _child(source, cloud, tmp_path, dies=False)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout.splitlines()[-1])["changes"] == 5  # both files, not the first
    assert source.found() == source.expected()


@pytest.mark.thorough
def test_late_changes_never_win(source):
    newer = source.update({"id": 1, "part": "a", "n": 5}, position=50, ts=10)
    gone = source.delete(2, "a", position=50, ts=10)
    source.put(newer, gone)
    source.succeed()
    source.put(
        source.change("u", {"id": 1, "part": "a", "n": 4}, position=49, ts=99),
        source.change("c", {"id": 2, "part": "a", "n": 4}, position=40, ts=99),
        source.change("r", {"id": 1, "part": "a", "n": 4}, position=50, ts=99),
        source.change("d", None, before={"id": 1, "part": "a"}, position=30, ts=99),
    )
    source.succeed()
    assert source.found() == source.expected() == {("1", "a"): {"id": "1", "part": "a", "n": "5"}}
    source.put(source.insert({"id": 2, "part": "a", "n": 6}, position=60, ts=5))
    source.succeed()
    assert source.found() == source.expected()


@pytest.mark.thorough
def test_a_log_that_begins_anew_is_refused(source):
    hour = 3_600_000
    source.put(
        source.insert({"id": 1, "part": "a", "n": 1}, position=500, ts=hour),
        source.insert({"id": 2, "part": "a", "n": 1}, position=510, ts=2 * hour),
    )
    source.succeed()
    late = source.put(source.change("u", {"id": 1, "part": "a", "n": 0}, position=11, ts=3 * hour))
    source.succeed()  # a statement may take long: the older change is passed over
    assert source.found() == source.expected()
    source.cloud.s3.delete_object(Bucket=source.bucket, Key=late)

    source.put(source.change("u", {"id": 1, "part": "a", "n": 2}, position=12, ts=3 * hour + 1))
    before = source.versions()
    run = source.run()
    assert run["JobRunState"] == "FAILED"
    assert "1 changes, such as that at binlog:011-0212-010-s-0810800001-" in run["ErrorMessage"]
    assert "the log has begun anew or is another server's" in run["ErrorMessage"]
    assert source.versions() == before


@pytest.mark.thorough
def test_positions_of_different_kinds_are_refused(source):
    place = {"file": None, "pos": None, "row": None}
    other = source.change("u", {"id": 1, "part": "a", "n": 2})
    other["source"] |= {**place, "lsn": 77}
    source.put(source.change("r", {"id": 1, "part": "a", "n": 1}))
    source.succeed()
    source.put(other)
    run = source.run()
    assert "ordered by binlog and lsn, which cannot be compared" in run["ErrorMessage"]


LOADED = """
import sys
from awsglue.utils import getResolvedOptions
from pyspark.sql import SparkSession
# Without "table" that argument would count as an abbreviation of "table_uri".
uri = getResolvedOptions(sys.argv, ["table", "table_uri"])["table_uri"]
schema = "id BIGINT, part STRING, n INT"
rows = [(1, "a", 1), (2, "a", 1), (3, "a", 1)]
frame = SparkSession.builder.getOrCreate().createDataFrame(rows, schema)
frame.write.format("delta").save(uri)
"""


@pytest.mark.thorough
def test_rows_that_were_loaded_before_are_older_than_any_change(source, cloud):
    cloud.s3.put_object(Bucket=source.bucket, Key="load.py", Body=LOADED.encode())
    loader = f"load-{source.job}"
    cloud.glue.create_job(
        Name=loader,
        Role=ROLE,
        Command={"Name": "glueetl", "ScriptLocation": f"s3://{source.bucket}/load.py"},
        DefaultArguments={"--datalake-formats": "delta"},
    )
    source.succeed(job=loader)
    for id_ in (1, 2, 3):
        source.rows[id_, "a"] = {"id": id_, "part": "a", "n": 1}
    source.put(source.update({"id": 1, "part": "a", "n": 2}), source.delete(2, "a"))
    source.succeed()
    assert source.found() == source.expected()
    source.put(source.change("u", {"id": 1, "part": "a", "n": 0}, position=0))
    source.succeed()
    assert source.found() == source.expected()


def test_what_does_not_fit_fails_before_anything_is_written(source):
    good = source.insert({"id": 1, "part": "a", "n": 1})
    bad = source.change("u", {"id": None, "part": "a"})
    key = source.put(good, bad)
    run = source.run()
    assert run["JobRunState"] == "FAILED"
    assert "1 lines are no change" in run["ErrorMessage"]
    assert f"{key}: the key id is null or missing in 'after'" in run["ErrorMessage"]
    assert "Contents" not in source.cloud.s3.list_objects_v2(Bucket=source.bucket, Prefix="lake/")

    bad_records = {"--bad_records_uri": f"s3://{source.bucket}/bad"}
    runs = [source.succeed(**bad_records)["Id"]]
    assert source.found() == {("1", "a"): {"id": "1", "part": "a", "n": "1"}}
    worse = source.change("t", None)
    source.put(worse)
    runs.append(source.succeed(**bad_records)["Id"])
    assert [source.lines(f"bad/{run_id}/") for run_id in runs] == [[bad], [worse]]

    source.put(source.change("u", {"id": 1, "part": "a", "n": "text"}))
    run = source.run()
    assert run["JobRunState"] == "FAILED"
    assert "column 'n' is BIGINT, and there are values of type STRING" in run["ErrorMessage"]


def test_declared_types(source):
    row = {"id": 1, "part": "a", "price": 12, "day": "2026-11-23"}
    source.put(source.insert(row))
    columns = {"--columns": json.dumps({"price": "decimal(10, 2)", "day": "DATE"})}
    source.succeed(**columns)
    (found,) = source.query(f'SELECT typeof("price") AS p, "day" AS d FROM "{source.table}"')
    assert found == {"p": "DECIMAL(10,2)", "d": "2026-11-23"}
    source.put(source.change("u", {**row, "day": "tomorrow"}))
    run = source.run(**columns)
    assert "column 'day' is DATE, and 'tomorrow' is none" in run["ErrorMessage"]


@pytest.mark.parametrize(
    "optional", [{}, {"bad_records_uri": "s3://Old_Bucket/bad/"}], ids=["fail", "set-aside"]
)
def test_no_argument_of_the_script_is_empty(optional):
    (dag,) = DagBag(dag_folder=str(PROJECT / "dags" / "glue_cdc_upsert.py")).dags.values()
    form = {
        "source_uri": "s3://raw/it's/",
        "table_uri": "s3://lake/customer",
        "key_columns": "id",
        "columns": {"price": "DECIMAL(10,2)"},
        "database": "sales",
        "table": "customer",
    }
    operator = dag.get_task("upsert")
    params = {**form, "bad_records_uri": None, **optional}
    rendered = operator.render_template(operator.script_arguments, {"params": params})
    wanted = {**form, "columns": json.dumps(form["columns"]), **optional}
    assert json.loads(rendered) == {f"--{name}": value for name, value in wanted.items()}


def test_the_dag(source, cloud, dag_runs):
    source.put(
        source.insert({"id": 1, "part": "a", "n": 1}), source.insert({"id": 2, "part": "b", "n": 2})
    )
    conf = {
        "source_uri": source.source_uri,
        "table_uri": source.table_uri,
        "key_columns": "id,part",
        "database": "cdc",
        "table": source.table,
        "job_name": f"dag-{source.table}",
        "role": ROLE,
        "script_prefix": f"s3://{source.bucket}/code",
        "athena_output_uri": f"s3://{source.bucket}/athena",
        "columns": {"n": "DECIMAL(10,2)"},
        "expected_row_count": 2,
        "expected_rows": [{"id": 1, "part": "a"}, {"id": 2, "n": 2.0}],
    }
    run = dag_runs.run("glue_cdc_upsert", conf)
    assert run.states == {"upsert": "success", "check": "success"}, run.output[-3000:]
    job = cloud.glue.get_job(JobName=conf["job_name"])["Job"]
    assert job["DefaultArguments"]["--datalake-formats"] == "delta"
    (job_run,) = cloud.glue.get_job_runs(JobName=conf["job_name"])["JobRuns"]
    assert json.loads(job_run["Arguments"]["--columns"]) == conf["columns"]
    assert "--bad_records_uri" not in job_run["Arguments"]
    assert job["Command"]["ScriptLocation"].startswith(f"s3://{source.bucket}/code/")
    assert {row["n"] for row in source.query(f'SELECT n FROM "{source.table}"')} == {"1.00", "2.00"}
