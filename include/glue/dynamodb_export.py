r"""Exports a DynamoDB table to S3 with Spark: on Glue, EMR or one machine.

The arguments are those of :class:`updraft.spark.export_job.ExportArguments`. The library is the
archive that ``updraft package --spark`` builds::

    spark-submit --py-files updraft_spark.zip dynamodb_export.py \
        --table_name orders --s3_uri s3://backups/orders/2026-11-23
"""

import logging
import sys

from pyspark.sql import SparkSession

from updraft.spark.export_job import ExportArguments, export_table


def main() -> None:
    """Run the job."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    arguments = ExportArguments.parse(sys.argv[1:])
    spark = SparkSession.builder.appName("updraft-dynamodb-export").getOrCreate()
    try:
        export_table(spark.sparkContext, arguments)
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
