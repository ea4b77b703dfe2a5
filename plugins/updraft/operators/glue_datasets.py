"""The datasets that a Glue task reads and writes, as its arguments name them and lineage tells."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.errors import UpdraftError
from updraft.hooks.glue import GlueClientHook
from updraft.operators.aws_operator import AwsOperator

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from updraft.operators.glue_lineage import Lineage


class GlueDatasetOperator(AwsOperator[GlueClientHook]):
    """An operator of Glue that says what it reads and writes.

    :param inputs: what is read, for lineage: URIs in S3 and tables of the Data Catalog as
        ``database.table``; or their JSON. (templated)
    :param outputs: what is written, likewise. (templated)
    :param kwargs: as of ``AwsBaseOperator``.
    """

    aws_hook_class = GlueClientHook
    template_fields: Sequence[str] = aws_template_fields("inputs", "outputs")

    def __init__(
        self,
        *,
        inputs: Sequence[str] | str = (),
        outputs: Sequence[str] | str = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.inputs = inputs
        self.outputs = outputs
        self._lineage: Lineage | None = None

    def uris_of_arguments(self) -> tuple[list[str], list[str]]:
        """Find what else the arguments of the work name.

        :returns: URIs in S3 that it reads, and those that it writes.
        """
        return [], []

    def remember_lineage(
        self, external_id: str, inputs: Sequence[str] = (), outputs: Sequence[str] = ()
    ) -> None:
        """Look up what lineage needs while the task still runs.

        :param external_id: what Glue calls the work.
        :param inputs: what was read besides the operator's ``inputs``.
        :param outputs: what was written besides its ``outputs``.
        """
        try:
            from updraft.operators.glue_lineage import Lineage  # noqa: PLC0415 - optional

            reads, writes = self._declared()
            self._lineage = Lineage.of(
                self.hook, [*reads, *inputs], [*writes, *outputs], external_id
            )
        except ImportError:
            return
        except Exception as error:  # noqa: BLE001 - lineage must not fail the task
            self.log.warning("The lineage of this task is incomplete: %s", error)

    def _declared(self) -> tuple[list[str], list[str]]:
        reads, writes = self.uris_of_arguments()
        return (
            [*names_argument("inputs", self.inputs), *reads],
            [*names_argument("outputs", self.outputs), *writes],
        )

    def get_openlineage_facets_on_start(self) -> "OperatorLineage[Any, Any] | None":
        """Name what is known before anything was done.

        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        try:
            from updraft.operators.glue_lineage import Lineage  # noqa: PLC0415 - optional
        except ImportError:
            return None
        return Lineage.declared(*self._declared()).as_operator_lineage()

    def get_openlineage_facets_on_complete(
        self,
        task_instance: Any,  # noqa: ARG002 - the listener passes it
    ) -> "OperatorLineage[Any, Any] | None":
        """Describe what was read and written.

        :param task_instance: not needed, the operator itself remembers.
        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        if self._lineage is None:
            return self.get_openlineage_facets_on_start()
        return self._lineage.as_operator_lineage()

    def get_openlineage_facets_on_failure(
        self, task_instance: Any
    ) -> "OperatorLineage[Any, Any] | None":
        """Describe what would have been read and written.

        :param task_instance: not needed, the operator itself remembers.
        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        return self.get_openlineage_facets_on_complete(task_instance)


def names_argument(argument: str, value: Sequence[str] | str | None) -> list[str]:
    """Read a list of names.

    :param argument: name of the argument, for the error message.
    :param value: the names, their JSON if a template made it, or a single name.
    :returns: the names.
    :raises UpdraftError: when it is something else.
    """
    if value is None:
        return []
    if isinstance(value, str):
        text = value.strip()
        try:
            value = json.loads(text) if text.startswith("[") else [text] if text else []
        except ValueError as error:
            raise UpdraftError(f"{argument}: {text!r} is no list in JSON: {error}") from None
    if not isinstance(value, Sequence) or not all(isinstance(name, str) for name in value):
        raise UpdraftError(f"{argument}: {value!r} is no list of names")
    return list(value)
