"""``RedshiftDatabase``: the arguments by which a task reaches a database of Amazon Redshift.

Source: guide, "RedshiftDatabase"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-redshiftdatabase.html).
"""

from dataclasses import replace

from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import compile_value, references_to
from updraft.migration.jinja_text import parameter_code
from updraft.migration.ledger import Status
from updraft.migration.mappers.jdbc_addresses import WarehouseAddress, warehouse_address
from updraft.migration.mappers.task_fields import TaskFields
from updraft.migration.names import snake_case, unique
from updraft.migration.tasks import ArgumentValue, ParamSpec

TYPE = "RedshiftDatabase"

_DATA_API = "Airflow calls Redshift's Data API, and needs no computer for it"
_ROLE = (
    "Redshift reads and writes files by a role of its own: make one the default role of the "
    "cluster, or name one in `iam_role`"
)
_TEMPORARY = (
    "not needed: `db_user` connects with a temporary password that IAM makes, which "
    "`redshift:GetClusterCredentials` has to allow (`include/infra/iam`); or put user and password "
    "into AWS Secrets Manager, and give `secret_arn` in place of `db_user`"
)
_IDENTITY = (
    "not taken over: a workgroup takes no `db_user`, so the identity of the Airflow connection "
    "connects; to be the same user as before, put user and password into AWS Secrets Manager and "
    "give `secret_arn`"
)
_FROM_ADDRESS = (
    "the first part of its host is the cluster, as in addresses of AWS; for any other address, or "
    "a workgroup of Redshift Serverless, change the argument; for a cluster of another account, "
    "let the Airflow connection lead there (`aws_conn_id`)"
)
_OTHER_HOST = "its host is no address of AWS, which would tell the cluster: the form asks for it"
_NO_REGION = "no region is told: the cluster is looked for in that of the Airflow connection"
_NO_DRIVER = (
    "the Data API has no driver, and always encrypts; put settings such as search_path into the "
    "script"
)


def redshift_place(database: ResolvedObject, fields: TaskFields) -> dict[str, ArgumentValue]:
    """Say where a database is, and who connects to it.

    :param database: the RedshiftDatabase.
    :param fields: the activity, whose task connects.
    :returns: arguments of a task.
    :raises NotCompilableError: when cluster or database are not told.
    """
    fields.describe(database)
    given_name = fields.text("databaseName", database)
    address = _address(database, fields, with_database=given_name is None)
    cluster = fields.text("clusterId", database)
    if cluster is None and address is None:
        raise NotCompilableError(f"{database.id} names no cluster; give its clusterId")
    name = given_name or (address.database if address else None)
    if name is None:
        raise NotCompilableError(
            f"{database.id} does not tell which database to connect to; give databaseName"
        )
    serverless = address is not None and address.serverless
    user = None if serverless else fields.text("username", database)
    region = fields.text("region", database) or (address.region if address else None)
    place: dict[str, ArgumentValue] = {
        "workgroup_name" if serverless else "cluster_identifier": (
            address.name if address is not None else cluster
        ),
        "database": name,
    }
    if user is not None:
        place["db_user"] = user
    if region is not None:
        place["region_name"] = region
    _account(database, fields, serverless=serverless, region=region)
    return place


def account_data_api(fields: TaskFields) -> None:
    """Account for what an activity ran on, when its task calls the Data API.

    :param fields: the activity.
    """
    for name in ("runsOn", "workerGroup"):
        fields.note(fields.item, name, Status.EQUIVALENT, _DATA_API)


def account_role(fields: TaskFields) -> None:
    """Account for the role by which the files of an activity were read or written.

    :param fields: the activity, which used the role of its resource.
    """
    resources = references_to("runsOn", fields.item, fields.workflow)
    roles = [one for one in resources if one.field("resourceRole") is not None]
    for one in roles:
        fields.note(one, "resourceRole", Status.APPROXIMATED, _ROLE)
    if not roles:
        for name in ("runsOn", "workerGroup"):
            fields.note(fields.item, name, Status.APPROXIMATED, _ROLE)


def _address(
    database: ResolvedObject, fields: TaskFields, *, with_database: bool
) -> WarehouseAddress | None:
    template = compile_value("connectionString", database, fields.workflow)
    if database.field("clusterId") is not None:
        if template is not None:
            raise NotCompilableError(f"{database.id} has both clusterId and connectionString")
        return None
    if template is None:
        raise NotCompilableError(f"{database.id} names no cluster; give its clusterId")
    address = warehouse_address(template.text)
    if address is None:
        address = warehouse_address(template.text, fields.ask_for(_asked(database, fields)))
        fields.note(database, "connectionString", Status.APPROXIMATED, _OTHER_HOST)
    if address is None:
        raise NotCompilableError(
            f"{database.id}.connectionString is no address of JDBC, which would tell the cluster; "
            "give clusterId instead, and databaseName"
        )
    # The port, for example, is of no use any more.
    used = f"{address.name} {address.database if with_database else ''}"
    parameters = {one for one in template.parameters if parameter_code(one) in used}
    fields.take(replace(template, parameters=frozenset(parameters)))
    return address


def _asked(database: ResolvedObject, fields: TaskFields) -> ParamSpec:
    """Make the field of the form that asks for a cluster that no address tells."""
    taken = set(fields.workflow.definition.names)
    title = f"New: identifier of the Redshift cluster of {database.item.name}"
    return ParamSpec(
        unique(f"{snake_case(database.item.name)}_cluster_identifier", taken),
        {"type": "string", "title": title},
        title,
        "string",
        note="new: the host of its address is none of AWS, which would tell the cluster",
    )


def _account(
    database: ResolvedObject, fields: TaskFields, *, serverless: bool, region: str | None
) -> None:
    notes = [] if region is not None else [_NO_REGION]
    if notes:
        fields.note(database, "clusterId", Status.APPROXIMATED, _NO_REGION)
    address = "; ".join([_FROM_ADDRESS, *notes])
    fields.note(database, "connectionString", Status.APPROXIMATED, address)
    password = _IDENTITY if serverless else _TEMPORARY
    for name in ("*password", "password"):
        fields.note(database, name, Status.APPROXIMATED, password)
    if serverless:
        fields.note(database, "username", Status.APPROXIMATED, _IDENTITY)
    fields.note(database, "jdbcProperties", Status.APPROXIMATED, _NO_DRIVER)
