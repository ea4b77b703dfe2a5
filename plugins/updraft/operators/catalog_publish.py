"""Makes the catalog what a file declares."""

from collections.abc import Sequence
from typing import Any

from updraft.compat import Context
from updraft.datazone.changes import table
from updraft.datazone.declaration import Declaration
from updraft.datazone.publishing import Publisher
from updraft.operators.catalog_base import CatalogOperator
from updraft.operators.catalog_files import load_declaration
from updraft.operators.template_arguments import truth
from updraft.operators.try_series import try_series
from updraft.resource_owner import ResourceOwner

_MOST_LINES = 200  # in the result, which goes to XCom


class CatalogFileOperator(CatalogOperator):
    """Check a file that declares what is published, and name the data sources that run before.

    :param file: ``s3://bucket/key``, or a path below the DAGs folder. (templated)
    :param plan: whether nothing is to be changed, so that no data source runs. (templated)
    :param kwargs: as of :class:`CatalogOperator`.
    """

    template_fields: Sequence[str] = (
        *CatalogOperator.template_fields,
        "file",
        "plan",
    )

    def __init__(self, *, file: str, plan: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.file = file
        self.plan = plan

    def execute(self, context: Context) -> list[dict[str, str]]:  # noqa: ARG002 - Airflow's interface
        """Read the file.

        :param context: context of the task instance.
        :returns: arguments of :class:`CatalogDataSourceOperator`, for each data source.
        :raises AirflowFailException: when the file is wrong; it names each line at fault.
        :raises AirflowException: when it can't be read.
        """
        return self.carry_out(self._read)  # type: ignore[no-any-return]

    def _read(self) -> list[dict[str, str]]:
        is_plan = truth("plan", self.plan)
        declared = load_declaration(self.file, self._hook_parameters)
        self.log.info(
            "%s declares %s assets, %s data products and %s subscriptions",
            self.file,
            len(declared.assets),
            len(declared.data_products),
            len(declared.subscriptions),
        )
        if is_plan and declared.data_sources:
            self.log.info("A plan runs no data source: %s", ", ".join(declared.data_sources))
        return [
            {"project": declared.project, "data_source": source}
            for source in (() if is_plan else declared.data_sources)
        ]


class CatalogPublishOperator(CatalogFileOperator):
    """Make the catalog what a file declares, or show what that would change.

    Assets and data products are made, revised, published and unpublished; filters of rows and
    columns set; requests for subscriptions accepted and rejected, subscriptions revoked. What the
    file does not speak of stays as it is unless it says ``prune: true``. The log shows the
    differences as a table before anything is done. A second run finds none, and a retry does what
    an attempt that was killed has left.

    .. seealso:: ``docs/catalog-publish.md`` has the form of the file.

    :param file: ``s3://bucket/key``, or a path below the DAGs folder. (templated)
    :param plan: whether only to show the differences. (templated)
    :param kwargs: as of :class:`CatalogOperator`.
    """

    def execute(self, context: Context) -> dict[str, Any]:  # type: ignore[override]
        """Make up for the differences.

        :param context: context of the task instance.
        :returns: ``applied``, the number of ``changes``, their ``lines`` (200 at most), and
            ``notes`` about what only the subscriber can do.
        :raises AirflowFailException: when the file is wrong, or names what is not there.
        :raises AirflowException: when AWS refuses.
        """
        return self.carry_out(lambda: self._publish(context))  # type: ignore[no-any-return]

    def on_kill(self) -> None:
        """Stop before the next change; called from a signal handler."""
        self.kill_switch.throw()

    def _publish(self, context: Context) -> dict[str, Any]:
        is_plan = truth("plan", self.plan)
        declared = load_declaration(self.file, self._hook_parameters)
        publisher = self._publisher(context, declared)
        planned = publisher.plan()
        for line in table(planned.changes):
            self.log.info("%s", line)
        if not planned.changes:
            self.log.info("The catalog is what %s declares", self.file)
        changes, notes = planned.changes, planned.notes
        if not is_plan:
            done = publisher.apply()
            changes, notes = done.changes, done.notes
        for note in notes:
            self.log.warning("%s", note)
        return {
            "applied": not is_plan,
            "changes": len(changes),
            "lines": [str(change) for change in changes[:_MOST_LINES]],
            "notes": notes[:_MOST_LINES],
        }

    def _publisher(self, context: Context, declared: Declaration) -> Publisher:
        salt = ResourceOwner.of(context).token("catalog", try_series(context))
        return Publisher(self.domain(), declared, salt, self.kill_switch.check)
