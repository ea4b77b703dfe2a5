"""What steps of the local stack's clusters can execute, and what they refuse.

All steps run on one cluster, side by side: Spark takes some ten seconds to start.
"""

import io
import zipfile

import pytest

from tests.integration.emr_clusters import LOG_BUCKET, Clusters, bash, command_step

pytestmark = pytest.mark.integration

CODE = f"s3://{LOG_BUCKET}/programs"
APPLICATION = b"""
import sys
from helper import doubled
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
frame = spark.read.json(sys.argv[1])
frame.selectExpr("n", f"n * {doubled(1)} as m").write.partitionBy("n").parquet(sys.argv[2])
print(spark.conf.get("spark.greeting"), spark.read.parquet(sys.argv[2]).agg({"m": "sum"}).first())
"""
QUERY = b"""
CREATE TABLE totals (name STRING, amount INT)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION '${OUTPUT}';
INSERT INTO totals VALUES ('a', 1), ('b', 2);
"""
JAVA_ARCHIVE = "Manifest-Version: 1.0\nMain-Class: org.apache.hadoop.util.Vers\n ionInfo\n"


def _jar(location, *arguments, name):
    return {"Name": name, "HadoopJarStep": {"Jar": location, "Args": list(arguments)}}


@pytest.fixture(scope="module")
def ended(local_stack):
    """A cluster that has run all steps; gives it and the status of each step by name."""
    clusters = Clusters(local_stack.endpoint_url)
    java = io.BytesIO()
    with zipfile.ZipFile(java, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", JAVA_ARCHIVE)
    objects = {
        "application.py": APPLICATION,
        "helper.py": b"def doubled(n):\n    return 2 * n\n",
        "input/numbers.json": b'{"n": 1}\n{"n": 20}\n',
        "query.q": QUERY,
        "script.sh": b'echo "$#: $2"\n',
        "version.jar": java.getvalue(),
        "none.jar": b"no archive",
    }
    for name, body in objects.items():
        clusters.s3.put_object(Bucket=LOG_BUCKET, Key=f"programs/{name}", Body=body)
    libraries = "s3://us-east-1.elasticmapreduce/libs"
    runner = f"{libraries}/script-runner/script-runner.jar"
    hive = ["--run-hive-script", "--args", "-f", f"{CODE}/query.q", "-d"]
    cluster = clusters.run(
        command_step(
            *("spark-submit", "--master", "yarn", "--deploy-mode", "cluster"),
            *("--executor-memory", "64g", "--py-files", f"{CODE}/helper.py"),
            *("--conf", "spark.greeting=hello", f"{CODE}/application.py"),
            *(f"{CODE}/input/", f"{CODE}/output/"),
            name="application",
        ),
        command_step("spark-example", "SparkPi", "2", name="example"),
        _jar(runner, f"{libraries}/hive/hive-script", *hive, f"OUTPUT={CODE}/hive/", name="hive"),
        command_step("pig-script", "--run-pig-script", "--args", "-f", "x.pig", name="pig"),
        _jar(runner, f"{CODE}/script.sh", "one", "two words", name="script"),
        _jar(f"{CODE}/version.jar", name="jar"),
        _jar(f"{CODE}/none.jar", "Main", name="no jar"),
        _jar("/usr/lib/hadoop/hadoop-streaming.jar", "-mapper", "cat", name="streaming"),
        command_step("hadoop", "fs", "-ls", f"{CODE}/input/", name="shell"),
        command_step("hdfs", "dfs", "-ls", "hdfs:///tmp", name="hdfs"),
        command_step("hadoop", "distcp", "a", "b", name="distcp"),
        command_step(
            *("s3-dist-cp", "--src", f"{CODE}/input", f"--dest={CODE}/copied"),
            *("--srcPattern", r".*\.json"),
            name="copy",
        ),
        command_step(
            *("s3-dist-cp", f"--src={CODE}/", f"--dest={CODE}/x", "--groupBy=a"), name="group"
        ),
        bash("spark-submit --version; hadoop fs -rm s3://none", name="two"),
        StepConcurrencyLevel=3,
    )
    clusters.until(cluster, seconds=200)
    yield clusters, cluster, clusters.steps(cluster)
    clusters.end()


def test_an_application_reads_and_writes_s3(ended):
    clusters, cluster, steps = ended
    assert steps["application"]["State"] == "COMPLETED", steps["application"]
    printed = clusters.log(cluster, steps["application"]["Id"], "stdout")
    assert printed == "hello Row(sum(m)=42)\n"
    told = clusters.log(cluster, steps["application"]["Id"], "stderr")
    assert "[local stack] --master yarn does not count on one machine" in told
    found = clusters.s3.list_objects_v2(Bucket=LOG_BUCKET, Prefix="programs/output/n=20/")
    assert [each["Key"].rpartition(".")[2] for each in found["Contents"]] == ["parquet"]


def test_an_example_of_spark_runs(ended):
    clusters, cluster, steps = ended
    printed = clusters.log(cluster, steps["example"]["Id"], "stdout")
    assert printed.startswith("Pi is roughly 3.")
    told = clusters.log(cluster, steps["example"]["Id"], "stderr")
    assert "pi.py of Spark's examples in Python stands in for SparkPi" in told


def test_spark_sql_stands_in_for_hive_and_says_so(ended):
    clusters, cluster, steps = ended
    assert steps["hive"]["State"] == "COMPLETED", steps["hive"]
    told = clusters.log(cluster, steps["hive"]["Id"], "stderr")
    assert told.startswith("[local stack] Spark SQL stands in for Hive")
    lines = []
    for entry in clusters.s3.list_objects_v2(Bucket=LOG_BUCKET, Prefix="programs/hive/")[
        "Contents"
    ]:
        body = clusters.s3.get_object(Bucket=LOG_BUCKET, Key=entry["Key"])["Body"].read()
        lines += body.decode().splitlines()
    assert sorted(lines) == ["a,1", "b,2"]


def test_scripts_and_jars_run(ended):
    clusters, cluster, steps = ended
    assert clusters.log(cluster, steps["script"]["Id"], "stdout") == "2: two words\n"
    assert clusters.log(cluster, steps["jar"]["Id"], "stdout").startswith("Hadoop 3.")


def test_hadoop_shows_and_copies_what_is_in_s3(ended):
    clusters, cluster, steps = ended
    listed = clusters.log(cluster, steps["shell"]["Id"], "stdout")
    assert f"{CODE}/input/numbers.json" in listed, steps["shell"]
    copied = clusters.s3.list_objects_v2(Bucket=LOG_BUCKET, Prefix="programs/copied/")
    assert [each["Key"] for each in copied["Contents"]] == ["programs/copied/numbers.json"]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("pig", "pig-script: the local stack does not execute this: a Pig script"),
        ("no jar", "JAR does not exist or is not a normal file"),
        ("streaming", "the local stack does not execute this: Hadoop streaming"),
        ("hdfs", "hdfs:///tmp: there is no HDFS"),
        ("distcp", "hadoop distcp"),
        ("group", "the option --groupBy of s3-dist-cp"),
    ],
)
def test_what_is_not_executed_fails_and_says_what_it_is(ended, step, message):
    _, _, steps = ended
    assert steps[step]["State"] == "FAILED"
    assert message in steps[step]["FailureDetails"]["Message"]


def test_programs_of_the_node_are_there_for_bash(ended):
    clusters, cluster, steps = ended
    told = clusters.log(cluster, steps["two"]["Id"], "stderr")
    assert "version 3.5.9" in told
    assert steps["two"]["State"] == "FAILED"  # there is no bucket of that name
