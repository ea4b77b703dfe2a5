"""``HadoopActivity``: a JAR that runs on a cluster.

Source: guide, "HadoopActivity"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-hadoopactivity.html).
"""

from typing import ClassVar

from updraft.datapipeline.resolution import ResolvedObject
from updraft.emr.legacy_steps import hadoop_step
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.emr_steps import ActivitySteps
from updraft.migration.mappers.placeholders import placeholder_unless_mapped


class HadoopActivityMapper(ObjectMapper):
    """Maps Hadoop jobs to steps."""

    object_types: ClassVar[tuple[str, ...]] = ("HadoopActivity",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map a HadoopActivity.

        :param item: the activity.
        :param workflow: where the task, accounts and findings go.
        """
        with placeholder_unless_mapped(item, "jarUri", workflow):
            _map_activity(item, workflow)


def _map_activity(item: ResolvedObject, workflow: Workflow) -> None:
    steps = ActivitySteps(item, workflow)
    jar, main_class, queue = (steps.value(name) for name in ("jarUri", "mainClass", "hadoopQueue"))
    if jar is None:
        raise NotCompilableError("it names no JAR")
    current = hadoop_step(jar.strip(), steps.values("argument"), main_class, queue)
    steps.add_configured_script("preActivityTaskConfig")
    status = steps.add_current(current)
    steps.add_configured_script("postActivityTaskConfig")
    account = workflow.ledger.account
    spelling = [one for one in current.changes if one not in current.differences]
    if queue is not None:
        # It is an argument more, and the JAR itself is the same or only started in another way.
        status = Status.EQUIVALENT if spelling else Status.CARRIED_OVER
    account(item, "jarUri", status, "`Jar`")
    account(item, "mainClass", Status.CARRIED_OVER, "`MainClass`")
    account(item, "argument", Status.CARRIED_OVER, "`Args`")
    note = "`-D mapreduce.job.queuename`"
    if current.differences:
        note += ", which only JARs understand that read generic options"
        account(item, "hadoopQueue", Status.APPROXIMATED, note)
    account(item, "hadoopQueue", Status.EQUIVALENT, note)
    steps.finish("runs a Hadoop job on the cluster", current.differences, spelling)
