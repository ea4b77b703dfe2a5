"""From a workflow to the DAG as data and its report."""

import re
from dataclasses import replace
from pathlib import Path

from updraft.datapipeline.findings import Finding, Severity, mask_passwords
from updraft.datapipeline.mentions import mentions
from updraft.datapipeline.model import PipelineProperties
from updraft.migration.completion import SETTLED_BY_NOTES, UNDECLARED
from updraft.migration.dependencies import in_order, upstream_tasks
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.actions import failure_notice
from updraft.migration.mappers.task_settings import account_user_fields, code_for
from updraft.migration.names import snake_case
from updraft.migration.object_mapping import map_objects, report_undeclared
from updraft.migration.parameters import account_added, map_parameters
from updraft.migration.reporting.model import PipelineAccount, Report
from updraft.migration.reporting.pipeline_report import report_of
from updraft.migration.required_params import guard_parameters
from updraft.migration.schedule_parts import order_of_switching_on
from updraft.migration.source_values import LINE_LENGTH
from updraft.migration.tasks import DagSpec
from updraft.migration.unread_fields import account_unread_fields

# A title that names more kinds of tasks than these says less than the list of tasks.
_MOST_IN_TITLE = 3
# It stands in one line, after the quotes that open the docstring.
_LONGEST_TITLE = LINE_LENGTH - len('"""')
_WORDS = {
    "aws": "AWS",
    "csv": "CSV",
    "dynamodb": "DynamoDB",
    "ec2": "EC2",
    "emr": "EMR",
    "hadoop": "Hadoop",
    "hive": "Hive",
    "mysql": "MySQL",
    "pig": "Pig",
    "rds": "RDS",
    "redshift": "Redshift",
    "s3": "S3",
    "sns": "SNS",
    "spark": "Spark",
    "sql": "SQL",
}
# Neither a tag nor a description is a template, so that nothing would fill it in.
_OPEN = re.compile(r"#\{.*?\}")
_OPEN_NOTE = "the template leaves a value open: give it by --set, or write the text into the DAG"
# What the column of Airflow's database holds.
_LONGEST_TAG = 100


def assemble(workflow: Workflow, source: str, dag_id: str) -> tuple[DagSpec, Report]:
    """Map a workflow, and put together what comes of it.

    :param workflow: the workflow, of which nothing is mapped yet.
    :param source: name of the definition file.
    :param dag_id: id of the DAG.
    :returns: the DAG, and the report without findings.
    """
    workflow.dag_id = dag_id
    used = mentions(workflow.definition)
    map_objects(workflow)
    account_user_fields(workflow, used)
    params, parameters = map_parameters(workflow, used)
    report_undeclared(workflow, used)
    upstream = upstream_tasks(workflow)
    params, upstream = guard_parameters((*params, *workflow.added_params), upstream, workflow)
    by_id = {task.task_id: task for task in workflow.all_tasks}
    tasks = tuple(by_id[task_id] for task_id in in_order(upstream))
    dag = DagSpec(
        dag_id=dag_id,
        title=_title(workflow, dag_id),
        source=source,
        tasks=tasks,
        upstream=upstream,
        params=params,
        added_params=frozenset(one.name for one in workflow.added_params),
        schedule_words=" ".join(
            filter(None, (workflow.schedule_words, order_of_switching_on(workflow)))
        ),
        timing=workflow.schedule.dag.arguments,
        max_active_runs=workflow.max_active_runs,
        retries=workflow.retries,
        retry_delay=code_for(workflow.retry_delay),
        variables=tuple(workflow.variables),
        default_args=workflow.default_args,
        settings=workflow.dag_settings,
        notice=failure_notice(workflow),
        release=workflow.release,
        description=_shown(workflow.definition.pipeline.description),
        tags=("data-pipeline", *filter(_is_settled, map(_tag, workflow.definition.pipeline.tags))),
    )
    account_unread_fields(workflow)
    accounts = (*parameters, *map(account_added, workflow.added_params))
    report = report_of(workflow, dag, accounts, used)
    properties = _properties(workflow.definition.pipeline)
    return dag, report.model_copy(update={"properties": properties})


def with_errors(dag: DagSpec, findings: list[Finding]) -> DagSpec:
    """Write into the manual of a DAG what is to be settled before it is switched on.

    :param dag: the DAG.
    :param findings: what was found in its definition.
    :returns: the DAG; the same when nothing is an error.
    """
    failing = {task.object_id for task in dag.tasks if not task.migrated}
    errors = [one for one in findings if _is_error(one, failing)]
    return replace(dag, before_use=tuple(dict.fromkeys(map(_sentence, errors))))


def _is_error(finding: Finding, failing: set[str]) -> bool:
    """Tell whether a finding keeps a DAG from its work: of an unknown type there is no task."""
    return finding.severity is Severity.ERROR or (
        finding.field == "type" and finding.object_id in failing
    )


def _sentence(finding: Finding) -> str:
    what = ".".join(filter(None, (finding.object_id, finding.field)))
    line = f"line {finding.position.line}" if finding.position else ""
    where = ", ".join(filter(None, (f"`{what}`" if what else "", line)))
    sentences = [finding.message, finding.advice]
    if finding.field in SETTLED_BY_NOTES - {"id", "name"}:
        sentences.append("Until then it is left out")
    elif UNDECLARED in finding.message:
        sentences.append("Until then the form asks for it")
    said = " ".join(_ended(one) for one in sentences if one)
    return f"{where}: {said}".removeprefix(": ")


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _properties(properties: PipelineProperties) -> tuple[PipelineAccount, ...]:
    """Account for what a file says about a pipeline beside its definition."""
    rows: list[PipelineAccount] = []
    if properties.name:
        note = "the DAG is named after the file; its id is the option --dag-id"
        rows.append(_account("name", properties.name, Status.EQUIVALENT, note))
    if properties.description:
        shown = mask_passwords(properties.description)
        status, note = Status.CARRIED_OVER, "`description` of the DAG"
        if not _is_settled(shown):
            status, note = Status.NEEDS_DECISION, _OPEN_NOTE
        rows.append(_account("description", shown, status, note))
    for pair in properties.tags:
        tag = _tag(pair)
        status, note = Status.CARRIED_OVER, "a tag of the DAG"
        if not _is_settled(tag):
            status, note = Status.NEEDS_DECISION, _OPEN_NOTE
        elif len(tag) == _LONGEST_TAG:
            status, note = Status.APPROXIMATED, f"a tag of the DAG, of {_LONGEST_TAG} characters"
        rows.append(_account("tag", tag, status, note))
    if properties.activate is not None:
        note = (
            "a new DAG is paused until somebody switches it on, unless "
            "`dags_are_paused_at_creation` says otherwise"
        )
        value = str(properties.activate).lower()
        rows.append(_account("activate", value, Status.APPROXIMATED, note))
    return tuple(rows)


def _account(name: str, value: str, status: Status, note: str) -> PipelineAccount:
    return PipelineAccount(property=name, value=value, status=status, note=note)


def _is_settled(text: str) -> bool:
    """Tell a text that a DAG can show from one with a value that its template leaves open."""
    return _OPEN.search(text) is None


def _shown(text: str | None) -> str:
    return mask_passwords(text) if text and _is_settled(text) else ""


def _tag(pair: tuple[str, str]) -> str:
    """Write a tag in the one text that Airflow has for it."""
    key, value = pair
    return mask_passwords(f"{key}={value}" if value else key)[:_LONGEST_TAG]


def _title(workflow: Workflow, dag_id: str) -> str:
    """Say in a line what the DAG is for: in the words of its owner, else what its activities do."""
    properties = workflow.definition.pipeline
    if description := " ".join(_shown(properties.description).split()):
        return _ended(description)
    name = " ".join(_shown(properties.name).split()) or _name_of_file(workflow, dag_id)
    activities = [
        task
        for task in workflow.all_tasks
        if task.migrated and task.object_id and _is_activity(task.object_id, workflow)
    ]
    summaries = list(dict.fromkeys(task.summary.split(",")[0] for task in activities))
    if not summaries or len(summaries) > _MOST_IN_TITLE:
        return f"{name}."
    listed = " and ".join(filter(None, (", ".join(summaries[:-1]), summaries[-1])))
    title = f"{name}: {listed.replace('on the cluster', 'on a cluster')}."
    return title if len(title) <= _LONGEST_TITLE else f"{name}."


def _name_of_file(workflow: Workflow, dag_id: str) -> str:
    """Take the name that the file has, unless there are only small letters in it."""
    stem = Path(workflow.definition.source).stem
    return _in_words(dag_id) if snake_case(stem) != dag_id or stem.islower() else stem


def _in_words(dag_id: str) -> str:
    words = [_WORDS.get(word, word) for word in dag_id.split("_") if word]
    first = " ".join(words) or dag_id
    return first[0].upper() + first[1:]


def _is_activity(object_id: str, workflow: Workflow) -> bool:
    return workflow.resolved[object_id].category == "activity" and object_id not in workflow.awaited
