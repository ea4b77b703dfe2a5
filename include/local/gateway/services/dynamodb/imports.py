"""ImportTable, DescribeImport and ListImports.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ImportTable.html
"""

import dataclasses
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from include.local.gateway.dynamodb_backend import DynamoDBBackend
from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import ACCOUNT_ID, OperationRequest
from include.local.gateway.services.dynamodb.exports import TOKEN_SECONDS
from include.local.gateway.services.dynamodb.import_loader import Loader
from include.local.gateway.services.dynamodb.import_log import GROUP, ImportLog
from include.local.gateway.services.dynamodb.import_sources import (
    SourceFormat,
    candidates,
    decompressed,
)
from include.local.gateway.services.dynamodb.object_store import ObjectStore, ObjectStoreError
from include.local.gateway.services.dynamodb.settings import TaskSettings
from include.local.gateway.services.dynamodb.task_pages import read_token, write_token
from include.local.gateway.services.dynamodb.task_store import (
    COMPLETED,
    FAILED,
    IN_PROGRESS,
    Task,
    TaskStore,
    fingerprint,
)

_LOG = logging.getLogger(__name__)

_KIND = "Import"
_PAGE = 25
_TELL_EVERY = 1000  # items
_SUMMARY = (
    "ImportArn",
    "ImportStatus",
    "TableArn",
    "S3BucketSource",
    "CloudWatchLogGroupArn",
    "InputFormat",
    "StartTime",
    "EndTime",
)
_ITEM_ERRORS = (
    "Some of the items failed validation checks and were not imported. "
    "Please check CloudWatch error logs for more details."
)


class Imports:
    """The operations on imports.

    :param tasks: where imports are kept.
    :param backend: ministack.
    :param settings: gives the present settings.
    :param endpoint_url: address of the gateway, for S3 and CloudWatch Logs.
    """

    def __init__(
        self,
        tasks: TaskStore,
        backend: DynamoDBBackend,
        settings: Callable[[], TaskSettings],
        endpoint_url: str,
    ) -> None:
        self._tasks = tasks
        self._backend = backend
        self._settings = settings
        self._endpoint_url = endpoint_url
        self._creating: set[tuple[str, str]] = set()

    @property
    def creating(self) -> frozenset[tuple[str, str]]:
        """Region and name of the tables that are being imported, which nobody may use yet."""
        return frozenset(self._creating)

    def start(self, request: OperationRequest) -> Mapping[str, Any]:
        """Carry out ImportTable.

        :param request: the request.
        :returns: the description of the import, which has begun.
        :raises AwsError: as DynamoDB does.
        """
        given = dict(request.parameters)
        token = given.pop("ClientToken", None)
        print_ = fingerprint(given)
        now = time.time()
        with self._tasks.exclusive():
            if token is not None:
                same = self._tasks.by_token(_KIND, request.region, token, now - TOKEN_SECONDS)
                if same is not None:
                    return _again(same, print_)
            task = self._new(request.region, given, token, print_, now)
            self._tasks.add(task, now)
        run = threading.Thread(target=self._run, args=(task,), name=task.arn, daemon=True)
        run.start()
        return {"ImportTableDescription": task.members()}

    def describe(self, request: OperationRequest) -> Mapping[str, Any]:
        """Carry out DescribeImport.

        :param request: the request.
        :returns: the description of the import.
        :raises AwsError: when there is no such import.
        """
        arn = request.parameters["ImportArn"]
        task = self._tasks.find(_KIND, request.region, arn)
        if task is None:
            raise AwsError("ImportNotFoundException", f"Import not found: {arn}")
        return {"ImportTableDescription": task.members()}

    def list_all(self, request: OperationRequest) -> Mapping[str, Any]:
        """Carry out ListImports.

        :param request: the request.
        :returns: a page of summaries.
        :raises AwsError: when the token is not one of ours.
        """
        given = request.parameters
        size = given.get("PageSize", _PAGE)
        after = read_token(given.get("NextToken"))
        tasks = self._tasks.listed(_KIND, request.region, given.get("TableArn"), after, size + 1)
        summaries = [task.members() for task in tasks[:size]]
        page: dict[str, Any] = {
            "ImportSummaryList": [
                {name: members[name] for name in _SUMMARY if name in members}
                for members in summaries
            ]
        }
        if len(tasks) > size:
            page["NextToken"] = write_token(tasks[size - 1].sequence)
        return page

    def _new(
        self, region: str, given: Mapping[str, Any], token: str | None, print_: str, now: float
    ) -> Task:
        limit = self._settings().concurrent_imports
        if len(self._tasks.running(_KIND, region)) >= limit:
            message = (
                "Subscriber limit exceeded: There is a limit of "
                f"{limit:.0f} concurrent import jobs per account"
            )
            raise AwsError("LimitExceededException", message)
        _require_distinct(given.get("InputFormatOptions", {}).get("Csv", {}).get("HeaderList", []))
        wanted = given["TableCreationParameters"]
        place = (region, wanted["TableName"])
        # Known before the table exists, so that nobody gets hold of it.
        busy = place in self._creating
        self._creating.add(place)
        try:
            table = self._backend.call("CreateTable", wanted, region)["TableDescription"]
        except BaseException:
            if not busy:
                self._creating.discard(place)
            raise
        arn = f"{table['TableArn']}/import/{int(now * 1000):014d}-{secrets.token_hex(4)}"
        description: dict[str, Any] = {
            "ImportArn": arn,
            "ImportStatus": IN_PROGRESS,
            "TableArn": table["TableArn"],
            "TableId": table["TableId"],
            "S3BucketSource": given["S3BucketSource"],
            "ErrorCount": 0,
            "CloudWatchLogGroupArn": f"arn:aws:logs:{region}:{ACCOUNT_ID}:log-group:{GROUP}:*",
            "InputFormat": given["InputFormat"],
            "InputCompressionType": given.get("InputCompressionType", "NONE"),
            "TableCreationParameters": wanted,
            "StartTime": now,
            "ProcessedSizeBytes": 0,
            "ProcessedItemCount": 0,
            "ImportedItemCount": 0,
        }
        if "InputFormatOptions" in given:
            description["InputFormatOptions"] = given["InputFormatOptions"]
        if token is not None:
            description["ClientToken"] = token
        return Task(_KIND, arn, region, description["TableArn"], token, print_, description)

    def _run(self, task: Task) -> None:
        said = task.description
        name = said["TableCreationParameters"]["TableName"]
        earliest_end = time.monotonic() + self._settings().import_seconds
        status, code, message = FAILED, None, None
        try:
            errors = self._import(task, name)
            if errors:
                code, message = "ItemValidationError", _ITEM_ERRORS
            else:
                status = COMPLETED
        except ObjectStoreError as error:
            code, message = error.code, error.message
            # Nothing was imported: DynamoDB makes no table then.
            self._backend.call("DeleteTable", {"TableName": name}, task.region)
        except Exception as error:  # noqa: BLE001 - the import tells whatever happens
            _LOG.exception("%s failed", task.arn)
            code, message = "InternalServerError", repr(error)
        time.sleep(max(0.0, earliest_end - time.monotonic()))
        self._creating.discard((task.region, name))
        self._tasks.finish(task.arn, status, code, message)

    def _import(self, task: Task, name: str) -> int:
        said = task.description
        where = said["S3BucketSource"]
        if where.get("S3BucketOwner", ACCOUNT_ID) != ACCOUNT_ID:
            raise ObjectStoreError("S3AccessDenied", "Access Denied: the bucket has another owner")
        store = ObjectStore(self._endpoint_url, task.region, where["S3Bucket"], {})
        prefix = where.get("S3KeyPrefix", "")
        keys = [key for key in store.keys(prefix) if not key.endswith("/")]
        if not keys:
            message = f"No object's key begins with {prefix!r} in bucket {where['S3Bucket']}"
            raise ObjectStoreError("S3NoSuchKey", message)
        log = ImportLog(self._endpoint_url, task.region, task.arn, where["S3Bucket"])
        loader = Loader(self._backend, task.region, name, _key_names(said), log.add)
        for key in keys:
            self._load(task, store, key, loader)
        log.flush()
        self._tasks.update(task.arn, dataclasses.asdict(loader.counts))
        return loader.counts.ErrorCount

    def _load(self, task: Task, store: ObjectStore, key: str, loader: Loader) -> None:
        source = _source_format(task.description)
        stream = decompressed(store.open(key), source.compression)
        before = loader.counts.ProcessedSizeBytes
        for candidate in candidates(stream, source):
            loader.add(key, candidate)
            if loader.counts.ProcessedItemCount % _TELL_EVERY == 0:
                loader.counts.ProcessedSizeBytes = before + stream.count
                self._tasks.update(task.arn, dataclasses.asdict(loader.counts))
        loader.flush()
        loader.counts.ProcessedSizeBytes = before + stream.count


def _again(task: Task, print_: str) -> Mapping[str, Any]:
    if task.fingerprint != print_:
        message = (
            f"The client token {task.token} has already been used for an import with other "
            "parameters"
        )
        raise AwsError("ImportConflictException", message)
    return {"ImportTableDescription": task.members()}


def _require_distinct(header: list[str]) -> None:
    twice = {name for name in header if header.count(name) > 1}
    if twice:
        message = f"HeaderList names a column twice: {', '.join(sorted(twice))}"
        raise AwsError("ValidationException", message)


def _key_names(said: Mapping[str, Any]) -> list[str]:
    schema = said["TableCreationParameters"]["KeySchema"]
    return [key["AttributeName"] for key in sorted(schema, key=lambda key: str(key["KeyType"]))]


def _source_format(said: Mapping[str, Any]) -> SourceFormat:
    csv = said.get("InputFormatOptions", {}).get("Csv", {})
    definitions = said["TableCreationParameters"]["AttributeDefinitions"]
    return SourceFormat(
        said["InputFormat"],
        said["InputCompressionType"],
        {each["AttributeName"]: each["AttributeType"] for each in definitions},
        csv.get("Delimiter", ","),
        csv.get("HeaderList"),
    )
