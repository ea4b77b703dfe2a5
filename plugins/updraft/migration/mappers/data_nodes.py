"""Data nodes: no tasks themselves, they order tasks and lend their fields to expressions."""

from typing import ClassVar

from updraft.datapipeline.object_types import is_user_field
from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.emr_steps import OPERATOR as STEPS_OPERATOR
from updraft.migration.mappers.shell_on_worker import OPERATOR as BASH_OPERATOR
from updraft.migration.mappers.shell_settings import OPERATOR as SHELL_OPERATOR
from updraft.migration.mappers.task_settings import ACTION_FIELDS, PIPELINE_WIDE

_NOTES = {
    "dataFormat": "read by Hive only, and no Hive runs here; every attribute is copied",
    "region": "read by Hive only; the activity finds its table's region elsewhere",
    "readThroughputPercent": "nothing reads the table at a rate that the node sets",
    "writeThroughputPercent": "nothing writes to the table at a rate that the node sets",
    "compression": "read by copies of other kinds only; compressed files tell by their names",
    "manifestFilePath": "read by copies to Redshift only",
    "createTableSql": "nothing that the DAG does makes the table",
    "insertQuery": "nothing that the DAG does writes rows by it",
    "selectQuery": "nothing that the DAG does reads rows by it",
    "primaryKeys": "counts where a table is loaded only",
    "database": "the task finds its database by another object",
}


class DataNodeMapper(ObjectMapper):
    """Accounts for the data nodes of copies; those of other activities wait with them."""

    object_types: ClassVar[tuple[str, ...]] = (
        "DynamoDBDataNode",
        "MySqlDataNode",
        "RedshiftDataNode",
        "S3DataNode",
        "SqlDataNode",
    )

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Account for a data node.

        :param item: the data node.
        :param workflow: where the accounts go.
        """
        users = [*workflow.users(item.id, "input"), *workflow.users(item.id, "output")]
        waiting = [
            task.task_id
            for user in users
            if (task := workflow.tasks.get(user.id)) is not None and not task.migrated
        ]
        account = workflow.ledger.account
        for name, inherited in item.fields.items():
            if is_user_field(name) or (inherited.owner_id == DEFAULT_ID and name in PIPELINE_WIDE):
                continue
            if name in ACTION_FIELDS:
                continue
            if waiting and name not in {"dependsOn", "precondition", "parent"}:
                note = f"waits for the migration of {', '.join(f'`{one}`' for one in waiting)}"
                account(item, name, Status.NEEDS_DECISION, note)
            elif _is_open(inherited.owner_id, name, workflow):
                fate = _fate(name, item, used=bool(users))
                if name in _NOTES and _feeds_steps(users, workflow):
                    fate = Status.DROPPED, "the task of its activity takes nothing from it"
                account(item, name, *fate)
        if waiting:
            account(item, "type", Status.NEEDS_DECISION, "see its fields")
        else:
            account(item, "type", Status.EQUIVALENT, "its fields are arguments of tasks")
        account(item, "name", Status.DROPPED, "data nodes have no name in Airflow")


def _is_open(owner_id: str, name: str, workflow: Workflow) -> bool:
    """Say whether nothing reads a field, and nothing has said why it need not."""
    if (owner_id, name) in workflow.fields_read:
        return False
    return workflow.ledger.status(owner_id, name) is not Status.EQUIVALENT


def _feeds_steps(users: list[ResolvedObject], workflow: Workflow) -> bool:
    tasks = (workflow.tasks.get(user.id) for user in users)
    kinds = {BASH_OPERATOR, SHELL_OPERATOR, STEPS_OPERATOR}
    return any(task is not None and task.operator in kinds for task in tasks)


def _fate(name: str, item: ResolvedObject, *, used: bool) -> tuple[Status, str]:
    fate = (Status.DROPPED, _NOTES.get(name, "nothing that the DAG does reads it"))
    if name in {"dependsOn", "precondition"}:
        fate = Status.CARRIED_OVER, "decides the order of tasks"
    elif name == "parent":
        fate = Status.EQUIVALENT, "inherited fields are resolved"
    elif not used:
        fate = Status.DROPPED, "no activity reads or writes the data node"
    elif name == "s3EncryptionType" and (item.text(name) or "").casefold() == "none":
        fate = Status.APPROXIMATED, "S3 encrypts all new objects by itself since 2023"
    elif name == "s3EncryptionType":
        fate = Status.EQUIVALENT, "S3 encrypts all new objects by itself"
    return fate
