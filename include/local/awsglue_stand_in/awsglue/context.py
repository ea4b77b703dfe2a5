"""The entry point of a job."""

import logging
from collections.abc import Mapping
from typing import Any

from pyspark.sql import SparkSession

from awsglue.dynamicframe import DynamicFrame
from awsglue.refusal import refuse
from awsglue.s3_source import read


class GlueContext:
    """What AWS's class of this name offers, as far as jobs of this project use it.

    :param sparkContext: the context of Spark; none with Spark Connect.
    """

    def __init__(self, sparkContext: object = None, **options: Any) -> None:  # noqa: N803, ARG002 - AWS's
        if options:
            refuse(f"GlueContext option {', '.join(options)}")
        self.spark_session = SparkSession.builder.getOrCreate()
        self.create_dynamic_frame = _FrameReader(self.spark_session)

    def create_dynamic_frame_from_options(
        self,
        connection_type: str,
        connection_options: Mapping[str, Any],
        format: str,  # noqa: A002 - AWS's name
        format_options: Mapping[str, Any] | None = None,
        transformation_ctx: str = "",
    ) -> DynamicFrame:
        """Read; see :meth:`_FrameReader.from_options`."""
        return self.create_dynamic_frame.from_options(
            connection_type, connection_options, format, format_options, transformation_ctx
        )

    def get_logger(self) -> logging.Logger:
        """Return a logger."""
        return logging.getLogger("glue")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse(f"GlueContext.{name}")


class _FrameReader:
    def __init__(self, spark: Any) -> None:
        self._spark = spark

    def from_options(
        self,
        connection_type: str,
        connection_options: Mapping[str, Any],
        format: str,  # noqa: A002 - AWS's name
        format_options: Mapping[str, Any] | None = None,
        transformation_ctx: str = "",
    ) -> DynamicFrame:
        """Read files on S3.

        :param connection_type: ``s3``.
        :param connection_options: ``paths``, ``recurse``.
        :param format: ``csv``, ``json`` or ``parquet``.
        :param format_options: options of the format.
        :param transformation_ctx: name of the source for the bookmark.
        :returns: the frame.
        """
        if connection_type != "s3":
            refuse(f"connection type {connection_type}")
        frame = read(
            self._spark, connection_options, format, format_options or {}, transformation_ctx
        )
        return DynamicFrame(frame)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse(f"create_dynamic_frame.{name}")
