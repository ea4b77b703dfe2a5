r"""Imports files from S3 into a DynamoDB table with Spark: on Glue, EMR or one machine.

The arguments are those of :class:`updraft.spark.import_job.ImportArguments`. The library is the
archive that ``updraft package --spark`` builds::

    spark-submit --py-files updraft_spark.zip dynamodb_import.py \
        --table_name orders --s3_uri s3://backups/orders/2026-11-23
"""

import logging
import sys

from pyspark.sql import SparkSession

from updraft.spark.import_job import ImportArguments, import_files


def main() -> None:
    """Run the job."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    arguments = ImportArguments.parse(sys.argv[1:])
    spark = SparkSession.builder.appName("updraft-dynamodb-import").getOrCreate()
    try:
        import_files(spark.sparkContext, arguments)
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
