"""Fetches what EMR has written into S3 about something that failed."""

import gzip
import logging
import zlib
from collections.abc import Mapping
from typing import Any

from updraft.dynamodb.service_errors import ServiceError, explained
from updraft.emr.step_logs import exception_line, tail
from updraft.errors import UpdraftError
from updraft.hooks.s3 import s3_client
from updraft.s3_uri import parse_s3_uri

log = logging.getLogger(__name__)

UPLOAD_MINUTES = 5
"""How often EMR uploads logs, https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-manage-view-web-log-files.html."""

_LARGEST = 20_000_000
_MOST_KEYS = 1000


class EmrLogs:
    """The logs below a prefix.

    :param hook_parameters: connection, region, verification and botocore configuration.
    :param log_uri: the prefix that cluster or job was given; ``None`` if it keeps no logs.
    """

    def __init__(self, hook_parameters: Mapping[str, Any], log_uri: str | None) -> None:
        self._hook_parameters = hook_parameters
        self._log_uri = log_uri
        self._client: Any = None

    @property
    def kept(self) -> bool:
        """Whether there are logs at all."""
        return bool(self._log_uri)

    def uri(self, *parts: str) -> str:
        """Name a place below the prefix.

        :param parts: what stands between slashes.
        :returns: its URI.
        """
        return "/".join([(self._log_uri or "").rstrip("/"), *parts])

    def fetch(self, place: str, *names: str) -> dict[str, str]:
        """Read the logs of a place whose keys end with certain names.

        :param place: URI of the prefix.
        :param names: ends of keys, such as ``stderr``, with or without ``.gz``; the most telling
            one first.
        :returns: texts by URI in the order of the names; what cannot be read is missing, and the
            log says why.
        """
        if not self.kept:
            return {}
        try:
            bucket, prefix = parse_s3_uri(place)
            keys = self._keys(bucket, prefix)
            return {
                f"s3://{bucket}/{key}": self._read(bucket, key)
                for name in names
                for key in keys
                if key.removesuffix(".gz").endswith(name)
            }
        except (ServiceError, UpdraftError, OSError, EOFError, zlib.error) as error:
            log.warning("The logs at %s cannot be read: %s", place, error)
            return {}

    def show(self, texts: Mapping[str, str]) -> str | None:
        """Write the ends of logs into the log of the task.

        :param texts: texts by URI.
        :returns: the line that says what went wrong.
        """
        for uri, text in texts.items():
            lines = tail(text)
            if lines:
                log.info("The end of %s:\n%s", uri, "\n".join(lines))
        return exception_line(texts.values())

    def _keys(self, bucket: str, prefix: str) -> list[str]:
        with explained("s3:ListBucket", f"bucket {bucket!r}"):
            page = self._s3().list_objects_v2(
                Bucket=bucket, Prefix=f"{prefix.rstrip('/')}/", MaxKeys=_MOST_KEYS
            )
        return [item["Key"] for item in page.get("Contents", ()) if item["Size"] <= _LARGEST]

    def _read(self, bucket: str, key: str) -> str:
        with explained("s3:GetObject", f"object s3://{bucket}/{key}"):
            body: bytes = self._s3().get_object(Bucket=bucket, Key=key)["Body"].read()
        if key.endswith(".gz"):
            body = gzip.decompress(body)
        return body.decode(errors="replace")

    def _s3(self) -> Any:
        if self._client is None:
            self._client = s3_client(**self._hook_parameters)
        return self._client
