"""Lets DynamoDB create a table from files in S3."""

import json
import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

from updraft.aws.s3_files import S3Files
from updraft.dynamodb.counted_nouns import counted
from updraft.dynamodb.service_errors import ResourceMissingError, advised
from updraft.dynamodb.table import TableReference
from updraft.dynamodb.table_import import ImportResult, RejectedRecordError
from updraft.errors import ArgumentError, UpdraftError
from updraft.hooks.s3 import s3_client
from updraft.operators.dynamodb_import_engine import ImportOutcome, ImportRequest
from updraft.operators.dynamodb_native import Description, NativeEngine
from updraft.operators.dynamodb_native_source import find_native_import_source
from updraft.operators.waiting import Deferral, check_poll_interval
from updraft.triggers.dynamodb import DynamoDBImportTrigger

log = logging.getLogger(__name__)

_LOG_GROUP = "/aws-dynamodb/imports"
_REQUIRED = ("AttributeDefinitions", "KeySchema")
_EXAMPLE = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}


class NativeImportEngine(NativeEngine):
    """Imports with ImportTable, which creates the table and takes none of its write capacity.

    .. seealso::
        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ImportTable.html
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Format.html
    """

    kind = "Import"
    trigger = DynamoDBImportTrigger
    compared_members = ("S3BucketSource", "InputFormat", "InputCompressionType")

    def import_files(self, request: ImportRequest) -> ImportOutcome | Deferral:
        """Import files into a new table, or adopt the import of an earlier attempt.

        :param request: what to import.
        :returns: what was done, or what to wait for.
        :raises RejectedRecordError: when DynamoDB refused items.
        :raises UpdraftError: when it was not possible.
        """
        check_poll_interval(self._poll_interval)
        _check(request)
        table_parameters = _table_parameters(request)
        source = find_native_import_source(request, self._files())
        log.info(
            "Importing %s from s3://%s/%s into the new table %s",
            counted(source.files, "file"),
            *source.parameters["S3BucketSource"].values(),
            request.table.text,
        )
        parameters = {**source.parameters, "TableCreationParameters": table_parameters}
        target = (request.table.name, source.parameters["S3BucketSource"]["S3Bucket"])
        description = self._adopt_or_start(request.import_id, request.attempt, target, parameters)
        return self._outcome(request, self._wait(description))

    def resume(self, request: ImportRequest, event: Mapping[str, Any]) -> ImportOutcome | Deferral:
        """Go on after a deferral.

        :param request: what to import.
        :param event: the event of the trigger.
        :returns: what was done, or what to wait for again.
        :raises RejectedRecordError: when DynamoDB refused items.
        :raises UpdraftError: when it was not possible.
        """
        return self._outcome(request, self._look_again(event))

    def _outcome(
        self, request: ImportRequest, ended: Description | Deferral
    ) -> ImportOutcome | Deferral:
        if isinstance(ended, Deferral):
            return ended
        items = ended.get("ImportedItemCount", 0)
        source = ended["S3BucketSource"]
        result = ImportResult(
            table_arn=ended["TableArn"],
            files=self._count_files(source["S3Bucket"], source.get("S3KeyPrefix", "")),
            items=items,
            deleted=0,
            skipped=0,
            superseded=max(ended.get("ProcessedItemCount", 0) - items, 0),
            rejected=0,
            rejected_records=None,
        )
        log.info("DynamoDB imported %s items into %s", f"{items:,}", result.table_arn)
        return ImportOutcome(result, self._described_table(request.table), {}, ended["ImportArn"])

    def _error(self, description: Description) -> UpdraftError:
        """Say why an import ended, which it does as FAILED when some items are refused."""
        rejected = description.get("ErrorCount", 0)
        if not rejected:
            return super()._error(description)
        group = description.get("CloudWatchLogGroupArn") or _LOG_GROUP
        return RejectedRecordError(
            f"{description['ImportArn']}: DynamoDB refused {rejected:,} of "
            f"{description.get('ProcessedItemCount', 0):,} items. The reasons are in CloudWatch's "
            f"log group {group}. The table {description['TableArn']} exists without these items; "
            "mend the files, delete the table and import again, or use engine='worker'."
        )

    def _start(self, parameters: Mapping[str, Any], token: str) -> Description:
        name = parameters["TableCreationParameters"]["TableName"]
        with advised("dynamodb:ImportTable", f"table {name!r}", _advice(name)):
            answer = self._client.import_table(**parameters, ClientToken=token)
        return answer["ImportTableDescription"]

    def _describe(self, arn: str) -> Description:
        with advised("dynamodb:DescribeImport", f"import {arn!r}", {}):
            return self._client.describe_import(ImportArn=arn)["ImportTableDescription"]

    def _known(self, parameters: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        # The filter by TableArn would need the account, which only a table that exists tells.
        end = f":table/{parameters['TableCreationParameters']['TableName']}"
        token = ""
        while True:  # botocore has no paginator for it
            more: dict[str, Any] = {"NextToken": token} if token else {}
            with advised("dynamodb:ListImports", f"region {self._client.meta.region_name}", {}):
                page = self._client.list_imports(**more)
            for summary in page["ImportSummaryList"]:
                if summary["TableArn"].endswith(end):
                    yield summary["ImportArn"], summary["ImportStatus"]
            token = page.get("NextToken", "")
            if not token:
                return

    def _is_result_gone(self, description: Description) -> bool:
        try:
            self._described_table(TableReference.parse(description["TableArn"]))
        except ResourceMissingError:
            return True
        return False

    def _count_files(self, bucket: str, key_prefix: str) -> int:
        folder, _, start = key_prefix.rpartition("/")
        found = self._files().objects(f"s3://{bucket}/{folder}")
        return sum(1 for entry in found if entry.name.startswith(start))

    def _files(self) -> S3Files:
        return S3Files(s3_client(**self._s3_hook_parameters), sleep=time.sleep)


def _check(request: ImportRequest) -> None:
    refused = {
        "on_conflict='skip'": request.keep_existing,
        "on_error='dead_letter'": request.rejected_records is not None,
        "checkpoint_s3_uri": request.checkpoint is not None,
        "write_throughput_ratio": request.write_throughput_ratio
        != ImportRequest.write_throughput_ratio,
    }
    for argument, is_given in refused.items():
        if is_given:
            raise ArgumentError(
                f"{argument}: has no meaning for the engine native, which fills a new table "
                "without using its write capacity and writes the items it refuses to CloudWatch; "
                "leave it out, or use engine='worker'"
            )


def _table_parameters(request: ImportRequest) -> dict[str, Any]:
    given = request.table_creation_parameters
    if not isinstance(given, Mapping) or not all(given.get(name) for name in _REQUIRED):
        raise ArgumentError(
            f"table_creation_parameters: {given!r} does not say what the new table is like. The "
            f"engine native needs at least {' and '.join(_REQUIRED)}, such as "
            f"{json.dumps(_EXAMPLE)}"
        )
    name = given.get("TableName", request.table.name)
    if name not in {request.table.name, request.table.text}:
        raise ArgumentError(
            f"table_creation_parameters: TableName {name!r} contradicts table_name "
            f"{request.table.text!r}; leave it out"
        )
    billing = "PROVISIONED" if given.get("ProvisionedThroughput") else "PAY_PER_REQUEST"
    return {"BillingMode": billing, **given, "TableName": request.table.name}


def _advice(table_name: str) -> dict[str, str]:
    return {
        "ResourceInUseException": (
            f"The table {table_name!r} exists already, and ImportTable only fills a new one. If it "
            "is what a failed import left, delete it; else choose another name, or use "
            "engine='worker', which writes into an existing table."
        ),
        "ImportConflictException": (
            "An earlier attempt of this task started an import with other arguments. Let templates "
            "give the same values in each attempt, or trigger a new run."
        ),
        "LimitExceededException": (
            "Too many imports are in progress in this account and region. Retry later."
        ),
    }
