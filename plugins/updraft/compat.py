"""The only module that knows that Airflow versions differ.

Everything in Updraft that touches Airflow's authoring interface imports it from here, so that
one code base runs on MWAA's Airflow 2.11 and 3.x.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import DAG, BaseOperator, Context, Param
    from airflow.sdk.exceptions import AirflowException, AirflowFailException
else:
    try:  # Airflow 3
        from airflow.sdk import DAG, BaseOperator, Context, Param
    except ImportError:  # Airflow 2.11
        from airflow import DAG
        from airflow.models import BaseOperator
        from airflow.models.param import Param
        from airflow.utils.context import Context
    try:  # Airflow 3.2
        from airflow.sdk.exceptions import AirflowException, AirflowFailException
    except ImportError:
        from airflow.exceptions import AirflowException, AirflowFailException

__all__ = [
    "DAG",
    "AirflowException",
    "AirflowFailException",
    "BaseOperator",
    "Context",
    "Param",
]
