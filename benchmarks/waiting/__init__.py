"""Benchmark of waiting: how long runs of a Glue job occupy Airflow's workers."""
