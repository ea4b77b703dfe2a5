"""What the operators have in common that take the place of CopyActivity."""

import time
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from updraft.aws.s3_destination import S3Destination
from updraft.aws.s3_files import S3Files
from updraft.compat import Context
from updraft.dynamodb.data_files import DataFile
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.service_errors import ServiceError, explained
from updraft.errors import ArgumentError, UpdraftError
from updraft.hooks.s3 import s3_client
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.dynamodb_base import client_configuration
from updraft.operators.kill_switch import KillSwitch
from updraft.s3_uri import S3Uri, parse_s3_uri
from updraft.text_formats.byte_streams import (
    UnreadableFileError,
    chunks,
    compressed,
    stream,
    texts,
)
from updraft.text_formats.row_format import Record, RowError, RowFormat

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from mypy_boto3_s3 import S3Client

UPLOAD_PART_BYTES = 16 * 1024**2
"""Size of the parts of an upload; S3 takes 10,000 of them, 156 GiB."""


class CopyOperator(AwsOperator[S3Hook]):
    """Base of the operators that copy rows and files.

    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: Region; S3 finds that of a bucket by itself. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``; they win over the operator's own.
    """

    aws_hook_class = S3Hook
    ui_color = "#d9e6f7"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kill_switch = KillSwitch()
        self._lineage: OperatorLineage[Any, Any] | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Copy.

        :param context: context of the task instance.
        :returns: what was copied.
        :raises AirflowException: when it was not possible.
        :raises AirflowFailException: when it never will be.
        """
        result: dict[str, Any] = self.carry_out(lambda: self.copy(context))
        return result

    @abstractmethod
    def copy(self, context: Context) -> dict[str, Any]:
        """Copy; what it raises becomes the failure of the task.

        :param context: context of the task instance.
        :returns: what was copied, for XCom.
        :raises UpdraftError: when it was not possible.
        """

    def on_kill(self) -> None:
        """Stop before the next piece; nothing becomes visible that is not complete."""
        self.kill_switch.throw()

    def client(self) -> "S3Client":
        """Make the client for S3.

        :returns: the client.
        :raises ServiceError: when the connection does not lead to one.
        """
        configuration = client_configuration(self.botocore_config)
        return s3_client(**{**self._hook_parameters, "config": configuration})

    def upload(self, client: "S3Client", target: S3Uri, pieces: Iterator[bytes], gzip: bool) -> int:
        """Write an object, which shows when it is complete and never before.

        What an attempt that was killed has left of its upload is removed first.

        :param client: low-level client.
        :param target: its bucket and key; what is there is replaced.
        :param pieces: its content.
        :param gzip: whether to compress it.
        :returns: its size in bytes.
        :raises UpdraftError: when it can't be written, and whatever the pieces raise.
        """
        bucket = S3Destination(client, S3Prefix(target.bucket, ""))
        bucket.abort_uploads(target.key, exact=True)
        packed = compressed(pieces) if gzip else pieces
        file, counter = stream(packed, self.kill_switch.check)
        self.kill_switch.check()
        bucket.upload(target.key, file, part_bytes=UPLOAD_PART_BYTES)
        if counter.size >= UPLOAD_PART_BYTES:
            # boto3 repeats the call that begins an upload when its answer is lost.
            bucket.abort_uploads(target.key, exact=True)
        return counter.size

    def pieces(self, client: "S3Client", source: S3Uri, gzip: bool) -> Generator[bytes, None, None]:
        """Read an object.

        :param client: low-level client.
        :param source: its bucket and key.
        :param gzip: whether it is compressed.
        :returns: its content, not compressed.
        :raises UpdraftError: when it can't be read; it names the object.
        """
        uri = uri_of(source)
        with S3Files(client, time.sleep).open(DataFile(uri)) as file:
            try:
                for chunk in chunks(file, compressed=gzip):
                    self.kill_switch.check()
                    yield chunk
            except UnreadableFileError as error:
                raise UnreadableFileError(f"{uri}: {error}") from error

    def records(
        self,
        client: "S3Client",
        source: S3Uri,
        row_format: RowFormat,
        gzip: bool,
    ) -> Generator[Record, None, None]:
        """Read the rows of an object.

        :param client: low-level client.
        :param source: its bucket and key.
        :param row_format: its format.
        :param gzip: whether it is compressed.
        :returns: the rows.
        :raises UpdraftError: when it can't be read; it names object and record.
        """
        try:
            yield from row_format.read(texts(self.pieces(client, source, gzip)))
        except RowError as error:
            raise RowError(f"{uri_of(source)}: {error}") from error
        except UnreadableFileError as error:
            if str(error).startswith("s3://"):
                raise
            raise UnreadableFileError(f"{uri_of(source)}: {error}") from error

    def remember_lineage(self, described: "Callable[[], OperatorLineage[Any, Any]]") -> None:
        """Keep what OpenLineage is told once the task has ended.

        :param described: describes it.
        """
        try:
            from airflow.providers.openlineage import conf  # noqa: PLC0415 - optional

            if not conf.is_disabled():
                self._lineage = described()
        except ImportError:
            return
        except Exception as error:  # noqa: BLE001 - lineage must not fail the task
            self.log.warning("The lineage of this task is incomplete: %s", error)

    @abstractmethod
    def places(self) -> tuple[str | None, str | None]:
        """Say where files are read and written.

        :returns: the URI of either side, ``None`` for a database.
        """

    def get_openlineage_facets_on_start(self) -> "OperatorLineage[Any, Any] | None":
        """Name the files that will be read or written.

        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        try:
            from updraft.operators.copy_lineage import planned_lineage  # noqa: PLC0415 - optional

            return planned_lineage(*self.places())
        except (ImportError, UpdraftError):  # the task itself says what is wrong
            return None

    def get_openlineage_facets_on_complete(
        self,
        task_instance: Any,  # noqa: ARG002 - the listener passes it
    ) -> "OperatorLineage[Any, Any] | None":
        """Describe what was read and written.

        :param task_instance: not needed, the operator itself remembers.
        :returns: the lineage, that of the start where the work has not ended well.
        """
        return self._lineage or self.get_openlineage_facets_on_start()


def files_below(client: "S3Client", argument: str, uri: str) -> list[S3Uri]:
    """List the objects that a URI stands for.

    :param client: low-level client.
    :param argument: name of the argument, for the error message.
    :param uri: a directory, with a slash at its end, or one object.
    :returns: the objects in the order of their keys; of a directory, all that have a name in it.
    :raises UpdraftError: when there is none.
    """
    place = location(argument, uri)
    if not is_directory(place):
        return [place]
    prefix = S3Prefix(place.bucket, place.key.removesuffix("/"))
    found = [
        S3Uri(place.bucket, prefix.key_prefix + one.name)
        for one in S3Destination(client, prefix).objects()
        if one.name and not one.name.endswith("/")  # what the console makes for a folder
    ]
    if not found:
        raise UpdraftError(f"{argument}: there are no objects below {uri!r}")
    return sorted(found)


def require_object(client: "S3Client", argument: str, source: S3Uri) -> None:
    """Find out before anything is written whether an object is there.

    :param client: low-level client.
    :param argument: name of the argument, for the error message.
    :param source: the object.
    :raises UpdraftError: when it is not.
    """
    try:
        with explained("s3:GetObject", f"object {source.key!r} in bucket {source.bucket!r}"):
            client.head_object(Bucket=source.bucket, Key=source.key)
    except ServiceError as error:
        raise type(error)(f"{argument}: {error}", error.code, error.message) from error


def location(argument: str, uri: str) -> S3Uri:
    """Read an argument that names an object or a directory.

    :param argument: name of the argument, for the error message.
    :param uri: its value.
    :returns: bucket and key; the key of a directory ends with a slash or is empty.
    :raises ArgumentError: when it is no S3 URI.
    """
    try:
        return parse_s3_uri(uri)
    except UpdraftError as error:
        raise ArgumentError(f"{argument}: {error}") from None


def is_directory(place: S3Uri) -> bool:
    """Tell whether a place is a directory, Data Pipeline's ``directoryPath``."""
    return not place.key or place.key.endswith("/")


def uri_of(place: S3Uri) -> str:
    """Write bucket and key as a URI."""
    return f"s3://{place.bucket}/{place.key}"


def query_parameters(argument: str, value: object) -> Sequence[object]:
    """Check the values of question marks.

    :param argument: name of the argument, for the error message.
    :param value: the values.
    :returns: them, none for ``None``.
    :raises ArgumentError: when it is no list.
    """
    if value is None:
        return ()
    if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
        raise ArgumentError(f"{argument}: {value!r} is no list of values for question marks")
    return value
