"""The only module that knows that Airflow versions differ.

Everything in Updraft that touches Airflow's authoring interface imports it from here, so that
one code base runs on MWAA's Airflow 2.11 and 3.x.
"""

try:  # Airflow 3
    from airflow.sdk import DAG, BaseOperator, Context, Param
except ImportError:  # Airflow 2.11
    from airflow import DAG  # type: ignore[no-redef,attr-defined]
    from airflow.models import BaseOperator  # type: ignore[no-redef,assignment]
    from airflow.models.param import Param  # type: ignore[no-redef,assignment]
    from airflow.utils.context import Context  # type: ignore[no-redef,assignment]

__all__ = ["DAG", "BaseOperator", "Context", "Param"]
