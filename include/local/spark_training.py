"""A Spark application that uses a little of everything, so that Java notes the classes."""

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
spark.sparkContext.parallelize(range(4), 2).map(lambda number: number + 1).collect()
spark.range(10).groupBy("id").count().collect()
spark.stop()
