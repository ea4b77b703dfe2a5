"""What arguments of the amazon provider's operators say about what they read and write.

Nothing is asked over the network, but for the account of AWS that is part of the name of a DynamoDB
table, and that only when the task has ended.
"""

import json
from collections.abc import Iterable
from typing import Any, TypeAlias

from airflow.providers.common.compat.openlineage.facet import (
    ExternalQueryRunFacet,
    InputDataset,
    OutputDataset,
)
from airflow.providers.openlineage.extractors import OperatorLineage

from updraft.hooks.caller_identity import caller_identity
from updraft.hooks.redshift_data import RedshiftDatabase
from updraft.lineage.naming import DYNAMODB_TABLE_ARN, DatasetName, dynamodb_table, s3_prefix
from updraft.operators.argument_lineage import named_uris
from updraft.operators.emr_lineage import uris_of_steps
from updraft.operators.redshift_lineage import RedshiftLineage, place_of
from updraft.sql_lineage.analysis import analyze
from updraft.sql_lineage.names import DynamoDBTable

Lineage: TypeAlias = OperatorLineage[Any, Any]


def emr_add_steps(operator: Any, *, has_ended: bool) -> Lineage:  # noqa: ARG001 - all have it
    """Describe steps by their flags, such as ``--input URI`` and ``--dest=URI``.

    :param operator: an ``EmrAddStepsOperator`` whose templates are rendered.
    :param has_ended: whether the task has ended.
    :returns: the lineage.
    :raises ValueError: when the steps are a text that is no JSON.
    """
    steps = operator.steps
    if isinstance(steps, str):
        steps = json.loads(steps)
    reads, writes = uris_of_steps(steps or ())
    return _lineage(map(s3_prefix, reads), map(s3_prefix, writes))


def glue_job(operator: Any, *, has_ended: bool) -> Lineage:  # noqa: ARG001 - all have it
    """Describe a job by the arguments of its script, such as ``--input_path`` and ``--target``.

    :param operator: a ``GlueJobOperator`` whose templates are rendered.
    :param has_ended: whether the task has ended.
    :returns: the lineage.
    """
    defaults = (operator.create_job_kwargs or {}).get("DefaultArguments") or {}
    reads, writes = named_uris({**defaults, **(operator.script_args or {})})
    lineage = _lineage(map(s3_prefix, reads), map(s3_prefix, writes))
    run_id = getattr(operator, "_job_run_id", None)
    if run_id:
        facet = ExternalQueryRunFacet(externalQueryId=run_id, source="glue")
        lineage.run_facets["externalQuery"] = facet
    return lineage


def glue_crawler(operator: Any, *, has_ended: bool) -> Lineage:  # noqa: ARG001 - all have it
    """Describe what a crawler looks at; which tables it makes, only Glue knows.

    :param operator: a ``GlueCrawlerOperator`` whose templates are rendered.
    :param has_ended: whether the task has ended.
    :returns: the lineage.
    """
    targets = (operator.config or {}).get("Targets") or {}
    paths = [target["Path"] for target in targets.get("S3Targets") or () if target.get("Path")]
    return _lineage(map(s3_prefix, paths))


def dynamodb_to_s3(operator: Any, *, has_ended: bool) -> Lineage:
    """Describe an export.

    :param operator: a ``DynamoDBToS3Operator`` whose templates are rendered.
    :param has_ended: whether the task has ended.
    :returns: the lineage; without the table as long as its account is not known.
    :raises UpdraftError: when an argument is no name, or AWS does not tell the account.
    """
    prefix = s3_prefix(f"s3://{operator.s3_bucket_name}/{operator.s3_key_prefix}")
    return _lineage(_table(operator, operator.source_aws_conn_id, has_ended=has_ended), [prefix])


def s3_to_dynamodb(operator: Any, *, has_ended: bool) -> Lineage:
    """Describe an import.

    :param operator: an ``S3ToDynamoDBOperator`` whose templates are rendered.
    :param has_ended: whether the task has ended.
    :returns: the lineage; without the table as long as its account is not known.
    :raises UpdraftError: when an argument is no name, or AWS does not tell the account.
    """
    source = s3_prefix(f"s3://{operator.s3_bucket}/{operator.s3_key}")
    return _lineage([source], _table(operator, operator.aws_conn_id, has_ended=has_ended))


def redshift_data(operator: Any, *, has_ended: bool) -> Lineage:
    """Describe SQL: its tables and columns, and the files of COPY and UNLOAD.

    :param operator: a ``RedshiftDataOperator`` whose templates are rendered.
    :param has_ended: whether the task has ended.
    :returns: the lineage; an ``extractionError`` facet tells of what could not be read.
    :raises UpdraftError: when the arguments name no database, or AWS does not tell the account.
    """
    database = RedshiftDatabase(
        operator.database, operator.cluster_identifier, operator.workgroup_name
    )
    database.check()
    sql = operator.sql
    script = sql if isinstance(sql, str) else ";\n".join(sql)
    found = analyze(script, default_database=database.database)
    region = operator.hook.conn_region_name
    account = None
    if any(isinstance(one, DynamoDBTable) for one in found.inputs):
        if not has_ended:
            return OperatorLineage()
        account = caller_identity(operator.aws_conn_id, region).account
    statement_id = getattr(operator, "statement_id", None)
    lineage = RedshiftLineage(
        found, place_of(database, region, account), script, statement_id=statement_id
    )
    return lineage.as_operator_lineage()


def _table(operator: Any, aws_conn_id: str | None, *, has_ended: bool) -> list[DatasetName]:
    name = str(operator.dynamodb_table_name)
    if DYNAMODB_TABLE_ARN.fullmatch(name):
        return [dynamodb_table(name)]
    if not has_ended:
        return []
    caller = caller_identity(aws_conn_id)
    place = f"arn:{caller.partition}:dynamodb:{caller.region}:{caller.account}"
    return [dynamodb_table(f"{place}:table/{name}")]


def _lineage(
    inputs: Iterable[DatasetName] = (), outputs: Iterable[DatasetName] = ()
) -> "OperatorLineage[Any, Any]":
    return OperatorLineage(
        inputs=[InputDataset(*name) for name in dict.fromkeys(inputs)],
        outputs=[OutputDataset(*name) for name in dict.fromkeys(outputs)],
    )
