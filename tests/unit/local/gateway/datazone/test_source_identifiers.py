from typing import Any

import pytest

from include.local.gateway.services.datazone.source_identifiers import (
    Caller,
    of_dataset,
    of_job,
    of_run,
)

CALLER = Caller("111122223333", "eu-west-1")
GLUE_RUN = {"facets": {"environment-properties": {"environment-properties": {"GLUE_VERSION": "5"}}}}


def dataset(namespace: str, name: str, *links: tuple[str, str]) -> dict[str, Any]:
    identifiers = [{"namespace": where, "name": what, "type": "TABLE"} for where, what in links]
    facets = {"symlinks": {"identifiers": identifiers}} if links else {}
    return {"namespace": namespace, "name": name, "facets": facets}


@pytest.mark.parametrize(
    ("namespace", "name", "expected"),
    [
        pytest.param("s3://bucket", "a/b", "s3://bucket/a/b", id="S3"),
        pytest.param(
            "arn:aws:glue:us-east-1:444455556666:table",
            "db/t",
            "arn:aws:glue:us-east-1:444455556666:table/db/t",
            id="Glue in the form that needs no rule",
        ),
        pytest.param(
            "arn:aws:glue:us-east-1:444455556666",
            "table/db/t",
            "arn:aws:glue:us-east-1:444455556666/table/db/t",
            id="Glue as OpenLineage spells it misses the ARN",
        ),
        pytest.param(
            "redshift://wh.us-east-2:5439",
            "dev.public.t",
            "arn:aws:redshift:us-east-2:111122223333:table/wh/dev/public/t",
            id="Redshift as the provider spells it",
        ),
        pytest.param(
            "redshift://wh.444455556666.us-east-2.redshift.amazonaws.com:5439",
            "dev.public.t",
            "arn:aws:redshift:us-east-2:444455556666:table/wh/dev/public/t",
            id="Redshift host with account",
        ),
        pytest.param(
            "redshift://wg.444455556666.us-east-2.redshift-serverless.amazonaws.com:5439",
            "dev.public.t",
            "arn:aws:redshift-serverless:us-east-2:444455556666:table/wg/dev/public/t",
            id="Redshift Serverless",
        ),
        pytest.param(
            "postgres://wh.abc.us-east-2.redshift.amazonaws.com",
            "dev.public.t",
            "arn:aws:redshift:us-east-2:111122223333:table/wh/dev/public/t",
            id="Redshift host without account or port",
        ),
        pytest.param(
            "redshift://wh.us-east-2:5439", "t", "redshift://wh.us-east-2:5439/t", id="short name"
        ),
        pytest.param("redshift://", "a.b.c", "redshift:///a.b.c", id="no host"),
    ],
)
def test_without_glue(namespace: str, name: str, expected: str) -> None:
    assert of_dataset(dataset(namespace, name), {}, CALLER) == expected


@pytest.mark.parametrize(
    ("run", "links", "expected"),
    [
        pytest.param(
            GLUE_RUN,
            [("arn:aws:glue:us-east-1:444455556666", "table/db/t")],
            "arn:aws:glue:us-east-1:444455556666:table/db/t",
            id="catalog in the link",
        ),
        pytest.param(
            GLUE_RUN,
            [("hive", "db.t")],
            "arn:aws:glue:eu-west-1:111122223333:table/db/t",
            id="catalog of the caller",
        ),
        pytest.param(
            {
                "facets": {
                    "environment-properties": {
                        "GLUE_COMMAND_CRITERIA": "glueetl",
                        "AWS_DEFAULT_REGION": "ap-south-1",
                    }
                }
            },
            [("hive", "db.t")],
            "arn:aws:glue:ap-south-1:111122223333:table/db/t",
            id="Region of the job",
        ),
        pytest.param({}, [("hive", "db.t")], "s3://bucket/db/t", id="not a Glue job"),
        pytest.param(GLUE_RUN, [], "s3://bucket/db/t", id="no link"),
        pytest.param(GLUE_RUN, [("hive", "t")], "s3://bucket/db/t", id="no database"),
    ],
)
def test_glue(run: dict[str, Any], links: list[tuple[str, str]], expected: str) -> None:
    assert of_dataset(dataset("s3://bucket", "db/t", *links), run, CALLER) == expected


def test_jobs_and_runs() -> None:
    job = {"namespace": "ns", "name": "dag.task"}
    assert of_job(job) == "ns.dag.task"
    assert of_run(job, {"runId": "1"}) == "ns.dag.task/1"
