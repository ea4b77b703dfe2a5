"""What export and import have in common: one of several engines does the work."""

from abc import abstractmethod
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from updraft.choices import require_choice
from updraft.dynamodb.destination import S3Prefix
from updraft.operators.dynamodb_base import DynamoDBTableOperator
from updraft.operators.glue_job_runs import GlueJobRuns
from updraft.operators.glue_job_settings import check_job_name, run_overrides
from updraft.operators.kill_switch import KillSwitch
from updraft.operators.waiting import check_poll_interval

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


class _Stoppable(Protocol):
    """An engine, as far as a killed task needs it."""

    def stop(self) -> None:
        """Stop what is going on; called from a signal handler."""


class DynamoDBCopyOperator(DynamoDBTableOperator):
    """Base of the operators that copy a table with an engine of the user's choice.

    Their arguments ``engine``, ``deferrable``, ``poll_interval`` and ``glue_*`` mean the same.
    """

    engine: str
    deferrable: bool
    poll_interval: int
    glue_job_name: str | None
    glue_workers: int | None
    glue_worker_type: str
    glue_arguments: Mapping[str, str] | None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._kill_switch = KillSwitch()
        self._engine: _Stoppable | None = None

    def check_engine(self, engines: Collection[str]) -> None:
        """Check the choice of the engine, and what ``glue`` needs.

        :param engines: names of the engines.
        :raises UpdraftError: when there is no such engine, or an argument of its is wrong.
        """
        require_choice("engine", self.engine, engines)
        if self.engine == "glue":
            check_poll_interval(self.poll_interval)
            check_job_name(self.glue_job_name)
            self._glue_overrides()

    def glue_runs(self, identity: str) -> GlueJobRuns:
        """Open the Glue job of the engine ``glue``.

        :param identity: the argument of the script by which a run is known to be this task's.
        :returns: the runs of the job.
        :raises UpdraftError: when an argument is wrong.
        """
        return GlueJobRuns(
            {**self.s3_hook_parameters, "region_name": self.hook.region_name},
            check_job_name(self.glue_job_name),
            identity=identity,
            deferrable=self.deferrable,
            poll_interval=self.poll_interval,
            overrides=self._glue_overrides(),
        )

    def _glue_overrides(self) -> dict[str, Any]:
        return run_overrides(self.glue_workers, self.glue_worker_type, self.glue_arguments)

    def on_kill(self) -> None:
        """Stop the copy; what is done stays, and a later attempt goes on after it."""
        self._kill_switch.throw()
        if self._engine is not None:
            self._engine.stop()

    @abstractmethod
    def _planned_lineage(self, table_arn: str | None, s3_uri: str) -> "OperatorLineage[Any, Any]":
        """Name prefix and table before anything is copied.

        :param table_arn: ARN of the table, ``None`` if only its name is known.
        :param s3_uri: URI of the prefix.
        :returns: the lineage.
        :raises ImportError: when OpenLineage is not installed.
        """

    def get_openlineage_facets_on_start(self) -> "OperatorLineage[Any, Any] | None":
        """Name what is known before the copy: the prefix, and the table if its ARN was given.

        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        arn = self.table_name if self.table_name.startswith("arn:") else None
        uri = S3Prefix.parse(self.s3_uri).uri
        try:
            return self._planned_lineage(arn, uri)
        except ImportError:
            return None

    def get_openlineage_facets_on_failure(
        self,
        task_instance: Any,  # noqa: ARG002 - the listener passes it
    ) -> "OperatorLineage[Any, Any] | None":
        """Name what should have been read and written.

        :param task_instance: not needed, the operator itself remembers.
        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        return self.get_openlineage_facets_on_start()
