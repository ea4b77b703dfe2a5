"""What Airflow has for the fields that the service fills in while an object runs."""

from updraft.migration.jinja_text import JinjaCode

_WHILE_IT_RUNS = {
    "@pipelineId": JinjaCode("dag.dag_id", "text"),
    "@actualStartTime": JinjaCode("ti.start_date", "utc"),
}
# Known to callbacks alone, which are called once the task is over.
_WHEN_IT_IS_OVER = {
    "@actualEndTime": JinjaCode("ti.end_date", "utc"),
    "@status": JinjaCode("ti.state", "text"),
    "hostname": JinjaCode("ti.hostname", "text"),
    "errorMessage": JinjaCode("exception", "text"),
    "errorStackTrace": JinjaCode("exception", "text"),
}


def runtime_field(name: str, *, over: bool) -> JinjaCode | None:
    """Find the counterpart of a runtime field, but for the scheduled times.

    :param name: the field.
    :param over: whether the object is over when the text is rendered, as in a callback.
    :returns: an expression, none when there is no counterpart.
    """
    code = _WHILE_IT_RUNS.get(name)
    return _WHEN_IT_IS_OVER.get(name) if code is None and over else code
