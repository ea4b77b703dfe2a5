"""Runs SQL on Amazon Redshift."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.dynamodb.service_errors import explained
from updraft.errors import UpdraftError
from updraft.hooks.s3 import s3_client
from updraft.operators.redshift_links import RedshiftQueryEditorLink, persist_console_link
from updraft.operators.redshift_sql_arguments import (
    Result,
    named_arguments,
    positional_arguments,
    statements_of,
)
from updraft.operators.redshift_statement_calls import FinishedStatements, StatementFailedError
from updraft.operators.redshift_statements_base import RedshiftStatementsOperator
from updraft.operators.template_arguments import given, truth
from updraft.redshift.statement import RedshiftStatement
from updraft.s3_uri import parse_s3_uri

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from updraft.operators.redshift_lineage import RedshiftLineage

_LONGEST_SCRIPT = 10 * 2**20


class RedshiftSqlOperator(RedshiftStatementsOperator):
    """Run statements on a cluster or workgroup, each once however often the task is tried.

    The statements are one transaction, unless ``transaction`` is False. Values go by parameters,
    which the database binds: ``:name`` with ``parameters``, or ``?`` with ``script_arguments`` as
    scripts of the legacy SqlActivity have them.

    The result of the last query goes to XCom, up to ``max_rows`` rows, or to S3.

    .. seealso:: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html

    :param sql: the statements: a script with semicolons between them, the name of a file that ends
        with ``.sql``, or a list. (templated)
    :param script_uri: ``s3://bucket/key`` of a script, in place of ``sql``. Its text is run as it
        is, without templates. (templated)
    :param parameters: value by name for ``:name``, or their JSON. ``None`` is NULL. (templated)
    :param script_arguments: values for the question marks, in order, or their JSON. (templated)
    :param max_rows: most rows of the last query that go to XCom, 0 for no result. More are an
        error. (templated)
    :param truncate_result: whether more rows are left out instead; the result says so. (templated)
    :param result_uri: ``s3://bucket/prefix`` that the last query is unloaded to, instead of XCom.
        (templated)
    :param result_format: ``CSV`` (with a header), ``JSON`` or ``PARQUET``. (templated)
    :param overwrite_result: whether what is below the prefix is removed first; otherwise Redshift
        refuses if there is anything. (templated)
    :param iam_role: role of the cluster that writes to S3: an ARN, several with commas between
        them to assume one by the other, or ``default``. (templated)
    :param lineage: whether the catalog is asked for the columns of the tables after the run.
    :param kwargs: as of :class:`RedshiftStatementsOperator`.
    """

    template_fields: Sequence[str] = tuple(
        dict.fromkeys(
            (
                *RedshiftStatementsOperator.template_fields,
                *aws_template_fields(
                    "sql",
                    "script_uri",
                    "parameters",
                    "script_arguments",
                    "max_rows",
                    "truncate_result",
                    "result_uri",
                    "result_format",
                    "overwrite_result",
                    "iam_role",
                ),
            )
        )
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql", "parameters": "json"}
    operator_extra_links = (RedshiftQueryEditorLink(),)

    def __init__(
        self,
        *,
        sql: str | Sequence[str] | None = None,
        script_uri: str | None = None,
        parameters: Mapping[str, object] | str | None = None,
        script_arguments: Sequence[object] | str | None = None,
        max_rows: int | str = 1000,
        truncate_result: bool | str = False,
        result_uri: str | None = None,
        result_format: str = "CSV",
        overwrite_result: bool | str = False,
        iam_role: str = "default",
        lineage: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.script_uri = script_uri
        self.parameters = parameters
        self.script_arguments = script_arguments
        self.max_rows = max_rows
        self.truncate_result = truncate_result
        self.result_uri = result_uri
        self.result_format = result_format
        self.overwrite_result = overwrite_result
        self.iam_role = iam_role
        self.lineage = lineage
        self._lineage: RedshiftLineage | None = None
        self._script: str | Sequence[str] | None = None

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong.
        """
        super().check()
        self._result()
        named_arguments(self.parameters)
        positional_arguments(self.script_arguments)
        has_sql = given(self.sql) is not None if isinstance(self.sql, str) else bool(self.sql)
        if has_sql == (given(self.script_uri) is not None):
            raise UpdraftError("give either sql or script_uri")
        if has_sql:
            self._statements(self.sql or "")
        else:
            self._location()

    def statements(self, context: Context) -> Sequence[RedshiftStatement]:
        """Read the script.

        :param context: context of the task instance.
        :returns: its statements.
        :raises UpdraftError: when it can't be read, or its parameters and their values don't match.
        """
        del context
        if self._script is None:
            self._script = self._read() if given(self.script_uri) else self.sql
        return self._statements(self._script or "")

    def finished(self, context: Context, run: FinishedStatements) -> dict[str, Any]:
        """Give the counts, and the result of the last query.

        :param context: context of the task instance.
        :param run: how the statements went.
        :returns: ``statement_id``, ``rows`` (a number for each statement, ``None`` where Redshift
            does not say), and ``result`` with ``columns``, ``types``, ``rows`` and ``truncated``,
            or ``result_uri``.
        :raises UpdraftError: when the result is too large for XCom.
        """
        self._remember(context, run)
        found: dict[str, Any] = {
            "statement_id": run.id,
            "rows": [one.rows if one.rows >= 0 else None for one in run.outcomes],
        }
        result = self._result()
        if result.uri is not None:
            return {**found, "result_uri": result.uri}
        query = next((one for one in reversed(run.outcomes) if one.has_result), None)
        if query is None or not result.max_rows:
            return found
        if query.rows > result.max_rows and not result.truncate:
            raise UpdraftError(
                f"The last query has {query.rows} rows, more than max_rows={result.max_rows}. It "
                "has taken effect. Unload its result with result_uri, raise max_rows, or set "
                "truncate_result=True"
            )
        rows = self.hook.result(query.id, result.max_rows)
        if rows.is_truncated:
            self.log.warning("The result has the first %d of %d rows", len(rows.rows), query.rows)
        return {
            **found,
            "result": {
                "columns": [name for name, _ in rows.columns],
                "types": [kind for _, kind in rows.columns],
                "rows": rows.rows,
                "truncated": rows.is_truncated,
            },
        }

    def failed(self, context: Context, error: StatementFailedError) -> UpdraftError:
        """Give the task its link.

        :param context: context of the task instance.
        :param error: how the statement failed.
        :returns: the same error.
        """
        persist_console_link(self, context, RedshiftQueryEditorLink)
        return error

    def _statements(self, script: str | Sequence[str]) -> list[RedshiftStatement]:
        return statements_of(
            script,
            named_arguments(self.parameters),
            positional_arguments(self.script_arguments),
            transaction=self.in_transaction,
            result=self._result(),
        )

    def _result(self) -> Result:
        return Result.parse(
            max_rows=self.max_rows,
            truncate=truth("truncate_result", self.truncate_result),
            uri=given(self.result_uri),
            form=self.result_format,
            overwrite=truth("overwrite_result", self.overwrite_result),
            role=self.iam_role,
        )

    def _location(self) -> tuple[str, str]:
        bucket, key = parse_s3_uri(str(self.script_uri))
        if not key or key.endswith("/"):
            raise UpdraftError(f"script_uri: {self.script_uri!r} names no object")
        return bucket, key

    def _read(self) -> str:
        bucket, key = self._location()
        with explained("s3:GetObject", f"script {self.script_uri}"):
            found = s3_client(**self._hook_parameters).get_object(Bucket=bucket, Key=key)
            content = found["Body"].read(_LONGEST_SCRIPT + 1)
        if len(content) > _LONGEST_SCRIPT:
            raise UpdraftError(f"{self.script_uri} is larger than {_LONGEST_SCRIPT} bytes")
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UpdraftError(
                f"{self.script_uri} is not UTF-8: {error.reason} at byte {error.start}"
            ) from None

    def _remember(self, context: Context, run: FinishedStatements) -> None:
        """Look up what lineage needs while the task still runs."""
        persist_console_link(self, context, RedshiftQueryEditorLink)
        try:
            from updraft.operators.redshift_lineage import RedshiftLineage  # noqa: PLC0415 optional

            self._lineage = RedshiftLineage.of(
                self.hook, self.place, run, asks_catalog=self.lineage
            )
        except ImportError:
            return
        except Exception as error:  # noqa: BLE001 - lineage must not fail the task
            self.log.warning("The lineage of this task is incomplete: %s", error)

    def get_openlineage_facets_on_start(self) -> "OperatorLineage[Any, Any] | None":
        """Name what the statements read and write, as far as they say it themselves.

        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        try:
            from updraft.operators.redshift_lineage import declared  # noqa: PLC0415 - optional
        except ImportError:
            return None
        if not self.sql:
            return None
        script = self.sql if isinstance(self.sql, str) else ";\n".join(self.sql)
        return declared(script, self.place, self.region_name)

    def get_openlineage_facets_on_complete(
        self,
        task_instance: Any,  # noqa: ARG002 - the provider hands it over
    ) -> "OperatorLineage[Any, Any] | None":
        """Name what the statements have read and written.

        :param task_instance: the task instance.
        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        if self._lineage is None:
            return self.get_openlineage_facets_on_start()
        return self._lineage.as_operator_lineage()
