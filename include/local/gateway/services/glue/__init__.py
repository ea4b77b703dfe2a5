"""AWS Glue: runs of Spark jobs are really executed; jobs and the data catalog are moto's."""
