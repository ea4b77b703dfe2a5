"""The contenders that are operators: Updraft's and those of the amazon provider."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
from airflow.providers.amazon.aws.transfers.dynamodb_to_s3 import DynamoDBToS3Operator
from airflow.providers.amazon.aws.transfers.s3_to_dynamodb import S3ToDynamoDBOperator

from updraft.operators.dynamodb import DynamoDBExportOperator, DynamoDBImportOperator


def _context(run: str) -> Any:
    instance = SimpleNamespace(
        dag_id="benchmark", task_id="task", map_index=-1, run_id=run, try_number=1
    )
    return {"ti": instance}


def worker_export(table: str, uri: str, items: int, export_format: str) -> Callable[[], None]:
    """Prepare Updraft's export with the engine ``worker``.

    :param table: name of the table.
    :param uri: URI of an empty prefix.
    :param items: number of items that there are.
    :param export_format: format of the files.
    """
    operator = DynamoDBExportOperator(
        task_id="task",
        table_name=table,
        s3_uri=uri,
        export_format=export_format,
        read_throughput_ratio=1,
        aws_conn_id=None,
    )

    def run() -> None:
        result: Any = operator.execute(_context(uri))
        if result["items"] != items:
            raise SystemExit(f"The export has {result['items']:,} of {items:,} items")

    return run


def worker_import(table: str, uri: str, items: int, import_format: str) -> Callable[[], None]:
    """Prepare Updraft's import with the engine ``worker``.

    :param table: name of an empty table.
    :param uri: URI of the prefix with the files.
    :param items: number of items in them.
    :param import_format: format of the files.
    """
    operator = DynamoDBImportOperator(
        task_id="task",
        table_name=table,
        s3_uri=uri,
        import_format=import_format,
        write_throughput_ratio=1,
        aws_conn_id=None,
    )

    def run() -> None:
        result: Any = operator.execute(_context(table))
        if result["items"] != items:
            raise SystemExit(f"The import has put {result['items']:,} of {items:,} items")

    return run


def provider_export(table: str, bucket: str, prefix: str, **arguments: Any) -> Callable[[], None]:
    """Prepare the provider's export, which scans one segment.

    :param table: name of the table.
    :param bucket: bucket of the files.
    :param prefix: key prefix of the files, with a slash at its end.
    :param arguments: further arguments of the operator.
    """
    operator = DynamoDBToS3Operator(
        task_id="task",
        dynamodb_table_name=table,
        s3_bucket_name=bucket,
        s3_key_prefix=prefix,
        source_aws_conn_id=None,
        dest_aws_conn_id=None,
        **arguments,
    )
    return lambda: operator.execute({})


def provider_import(table: str, bucket: str, prefix: str) -> Callable[[], object]:
    """Prepare the provider's import into an existing table.

    It has ImportTable make a table beside it, scans that one, and writes item by item through
    boto3's table resource.

    :param table: name of an empty table.
    :param bucket: bucket of the files.
    :param prefix: key prefix of an export of Updraft, DYNAMODB_JSON with gzip.
    """
    objects = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    # ImportTable reads whatever is below its prefix, and would take the manifest for items.
    names = (entry["Key"].removeprefix(prefix) for entry in objects)
    export_id = next(name for name in names if name.endswith(".json.gz")).partition("_")[0]
    operator = S3ToDynamoDBOperator(
        task_id="task",
        s3_bucket=bucket,
        s3_key=prefix + export_id,
        dynamodb_table_name=table,
        dynamodb_key_schema=[{"AttributeName": "id", "KeyType": "HASH"}],
        dynamodb_attributes=[{"AttributeName": "id", "AttributeType": "S"}],
        use_existing_table=True,
        import_table_kwargs={"InputCompressionType": "GZIP"},
        check_interval=1,
        aws_conn_id=None,
    )
    return lambda: operator.execute({})
