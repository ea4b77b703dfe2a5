"""A Spark application that uses a little of everything, so that Java notes the classes."""

import tempfile

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
spark.sparkContext.parallelize(range(4), 2).map(lambda number: number + 1).collect()
spark.range(10).groupBy("id").count().collect()
with tempfile.TemporaryDirectory() as directory:
    spark.range(10).write.parquet(f"{directory}/numbers")
    spark.read.parquet(f"{directory}/numbers").count()
java = spark.sparkContext._jvm  # noqa: SLF001 - the one way to classes of Hadoop
java.org.apache.hadoop.fs.FileSystem.get(  # which asks S3 nothing yet
    java.java.net.URI("s3://bucket/"),
    spark.sparkContext._jsc.hadoopConfiguration(),  # noqa: SLF001
)
spark.stop()
