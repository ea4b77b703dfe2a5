"""What Airflow has for the fields that the service fills in while an object runs."""

from updraft.migration.jinja_text import JinjaCode

_WHILE_IT_RUNS = {
    "@pipelineId": JinjaCode("dag.dag_id", "text"),
    "@actualStartTime": JinjaCode("ti.start_date", "utc"),
}
# Known to callbacks, which are called once the task is over. They must do where the worker has
# vanished too: the DAG processor calls them then, without times and without an exception.
_WHEN_IT_IS_OVER = {
    "@actualStartTime": JinjaCode("(ti.start_date | default(dag_run.start_date))", "utc"),
    "@actualEndTime": JinjaCode("(ti.end_date or macros.datetime.utcnow())", "utc"),
    "@status": JinjaCode("('FINISHED' if ti.state == 'success' else 'FAILED')", "text"),
    "@taskId": JinjaCode("ti.task_id", "text"),
    "hostname": JinjaCode("ti.hostname", "text"),
    "errorMessage": JinjaCode("exception | default('')", "text"),
    "errorStackTrace": JinjaCode("ti.log_url", "text"),
}
"""``@taskId`` is no field of the service: alarms say by it which of their tasks they speak of."""


def runtime_field(name: str, *, over: bool) -> JinjaCode | None:
    """Find the counterpart of a runtime field, but for the scheduled times.

    :param name: the field.
    :param over: whether the object is over when the text is rendered, as in a callback.
    :returns: an expression, none when there is no counterpart.
    """
    if over and (code := _WHEN_IT_IS_OVER.get(name)) is not None:
        return code
    return _WHILE_IT_RUNS.get(name)
