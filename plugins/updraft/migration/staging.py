"""A place in S3 for rows that the legacy service took from and to tables without one.

No definition says where such files may go, so that the form asks for it.
"""

from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.jinja_compiler import Template
from updraft.migration.jinja_text import parameter_code
from updraft.migration.mapper import Workflow
from updraft.migration.names import snake_case, unique
from updraft.migration.tasks import ParamSpec

_NOTE = "new: the pipeline took rows straight from and to tables, the DAG needs S3 on the way"
_DESCRIPTION = "New: S3 prefix for rows on the way from and to tables; the files stay there"


def staging_param(workflow: Workflow) -> ParamSpec:
    """Make the field of the form, the same for all activities.

    :param workflow: the workflow.
    :returns: a field under a name that no parameter of the definition has.
    """
    name = unique("staging_s3_uri", set(workflow.definition.names))
    arguments: dict[str, object] = {
        "type": "string",
        "pattern": "^s3://[^/]+",
        "title": _DESCRIPTION,
    }
    return ParamSpec(name, arguments, _DESCRIPTION, "S3 URI", note=_NOTE)


def staging_prefix(param: ParamSpec, item: ResolvedObject, workflow: Workflow) -> Template:
    """Compose a prefix for the files of one activity and run.

    :param param: the field of the form.
    :param item: the activity.
    :param workflow: the workflow.
    :returns: the template.
    """
    time = workflow.compiler.compile_text(
        "#{format(@scheduledStartTime, 'YYYY-MM-dd-HH-mm-ss')}", item
    )
    return Template(
        text=f"{{{{ {parameter_code(param.name)} }}}}/{snake_case(item.item.name)}/{time.text}",
        literal=None,
        parameters=frozenset(),
        fields=frozenset(),
    )
