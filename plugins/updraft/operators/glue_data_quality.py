"""Lets Glue evaluate data quality rules."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.errors import UpdraftError
from updraft.operators.glue_base import LONGEST_WAIT, GlueOperator
from updraft.operators.glue_datasets import names_argument
from updraft.operators.glue_links import GlueTableLink
from updraft.operators.try_series import try_series
from updraft.operators.waiting import Deferral
from updraft.resource_owner import ResourceOwner
from updraft.triggers.glue_catalog import GlueDataQualityTrigger

_GOES_ON = frozenset({"STARTING", "RUNNING", "STOPPING"})
_SUCCEEDED = "SUCCEEDED"
_PASS = "PASS"  # noqa: S105 - the result of a rule


class GlueDataQualityRulesetRunOperator(GlueOperator):
    """Let Glue evaluate rulesets on a table, once however often the task is tried.

    The start takes a token, and Glue answers the same token with the same run. The token is made of
    the task instance and its series of attempts, so a retry gets the run of the attempt before,
    while a task that was cleared gets a new one. A run that has failed would be found again for
    ever; each attempt therefore may go one token further than the one before.

    .. seealso:: https://docs.aws.amazon.com/glue/latest/webapi/API_StartDataQualityRulesetEvaluationRun.html

    :param database_name: name of the database. (templated)
    :param table_name: name of the table. (templated)
    :param ruleset_names: names of the rulesets, or their JSON. (templated)
    :param role: name or ARN of the role that reads the data. (templated)
    :param fail_on_failed_rules: whether a rule that does not hold fails the task.
    :param number_of_workers: number of workers, by default Glue's.
    :param timeout: longest time that the run may take, in minutes.
    :param additional_run_options: where results go, as ``AdditionalRunOptions`` of the API.
    :param kwargs: as of :class:`GlueOperator`.
    """

    template_fields: Sequence[str] = tuple(
        dict.fromkeys(
            (
                *GlueOperator.template_fields,
                *aws_template_fields("database_name", "table_name", "ruleset_names", "role"),
            )
        )
    )
    operator_extra_links = (GlueTableLink(),)

    def __init__(
        self,
        *,
        database_name: str,
        table_name: str,
        ruleset_names: Sequence[str] | str,
        role: str,
        fail_on_failed_rules: bool = True,
        number_of_workers: int | None = None,
        timeout: int | None = None,
        additional_run_options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.database_name = database_name
        self.table_name = table_name
        self.ruleset_names = ruleset_names
        self.role = role
        self.fail_on_failed_rules = fail_on_failed_rules
        self.number_of_workers = number_of_workers
        self.timeout = timeout
        self.additional_run_options = additional_run_options
        self._run_id: str | None = None

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong.
        """
        super().check()
        needed = ("database_name", "table_name", "role")
        missing = [name for name in needed if not getattr(self, name)]
        if not names_argument("ruleset_names", self.ruleset_names):
            missing.append("ruleset_names")
        if missing:
            raise UpdraftError(f"{' and '.join(missing)}: missing")

    def begin(self, context: Context) -> dict[str, Any] | Deferral:
        """Start the evaluation or find that of an earlier attempt, and wait for its end.

        :param context: context of the task instance.
        :returns: ``run_id``, ``score`` (the lowest of the rulesets, 0 to 1), ``passed`` and
            ``failed`` rules (numbers), and ``rules`` that do not hold, with reasons; or what to
            wait for.
        :raises UpdraftError: when the evaluation did not succeed, or a rule does not hold.
        """
        self.persist_console_link(
            context,
            GlueTableLink,
            database_name=self.database_name,
            table_name=self.table_name,
        )
        run_id = self._started(context)
        return self._advance(run_id, time.time() + LONGEST_WAIT.total_seconds())

    def go_on(
        self,
        context: Context,  # noqa: ARG002 - the event says all
        event: Mapping[str, Any],
    ) -> dict[str, Any] | Deferral:
        """Look what has become of the evaluation.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: as :meth:`begin`.
        :raises UpdraftError: as :meth:`begin`.
        """
        return self._advance(event["evaluation_run_id"], event["give_up_at"])

    def find_own(self, context: Context) -> None:
        """Find the evaluation that goes on.

        Its start is asked for once more: with the same token Glue begins nothing, and names it.

        :param context: context of the task instance.
        :raises UpdraftError: when AWS refuses.
        """
        run_id = self._started(context)
        self._run_id = run_id if self._run(run_id)["Status"] in _GOES_ON else None

    def stop(self) -> None:
        """Cancel the evaluation."""
        if self._run_id is None:
            return
        try:
            self._request("CancelDataQualityRulesetEvaluationRun", RunId=self._run_id)
            self.log.info("Told Glue to cancel evaluation %s", self._run_id)
        except UpdraftError as error:
            self.log.warning("Evaluation %s may go on. %s", self._run_id, error)

    def _started(self, context: Context) -> str:
        owner, series = ResourceOwner.of(context), try_series(context)
        run_id = ""
        for number in range(context["ti"].try_number):
            self.kill_switch.check()
            answer = self._request(
                "StartDataQualityRulesetEvaluationRun",
                DataSource={
                    "GlueTable": {"DatabaseName": self.database_name, "TableName": self.table_name}
                },
                Role=self.role,
                NumberOfWorkers=self.number_of_workers,
                Timeout=self.timeout,
                ClientToken=owner.token("data quality", series, number),
                AdditionalRunOptions=self.additional_run_options,
                RulesetNames=names_argument("ruleset_names", self.ruleset_names),
            )
            self._run_id = run_id = str(answer["RunId"])
            self.kill_switch.check(self.stop)
            status = self._run(run_id)["Status"]
            if status == _SUCCEEDED or status in _GOES_ON:
                break
            self.log.info("Evaluation %s of an earlier attempt is %s", run_id, status)
        self.log.info("Waiting for evaluation %s", run_id)
        return run_id

    def _advance(self, run_id: str, give_up_at: float) -> dict[str, Any] | Deferral:
        if run_id != self._run_id:
            self._run_id = run_id
            self.kill_switch.check(self.stop)  # until here, on_kill did not know what to stop
        while True:
            run = self._run(run_id)
            if run["Status"] not in _GOES_ON:
                return self._result(run)
            trigger = GlueDataQualityTrigger(evaluation_run_id=run_id, **self.waiting(give_up_at))
            deferral = self.wait(trigger, f"Evaluation {run_id}")
            if deferral is not None:
                return deferral

    def _result(self, run: Mapping[str, Any]) -> dict[str, Any]:
        self._run_id = None
        self.remember_lineage(run["RunId"], inputs=[f"{self.database_name}.{self.table_name}"])
        if run["Status"] != _SUCCEEDED:
            raise UpdraftError(
                f"Evaluation {run['RunId']} of the rules on {self.database_name}."
                f"{self.table_name} ended as {run['Status']}: "
                f"{run.get('ErrorString') or 'Glue gives no reason'}"
            )
        results = [
            self._request("GetDataQualityResult", ResultId=result_id)
            for result_id in run.get("ResultIds", ())
        ]
        rules = [rule for result in results for rule in result.get("RuleResults", ())]
        for rule in rules:
            self.log.info("%s: %s %s", rule["Result"], rule.get("Description"), _message(rule))
        broken = [rule for rule in rules if rule["Result"] != _PASS]
        told = [f"{rule.get('Description')}: {rule['Result']}{_message(rule)}" for rule in broken]
        if broken and self.fail_on_failed_rules:
            raise UpdraftError(
                f"{len(broken)} of {len(rules)} rules do not hold for {self.database_name}."
                f"{self.table_name}: {'; '.join(told)}"
            )
        return {
            "run_id": run["RunId"],
            "score": min((result.get("Score", 0.0) for result in results), default=None),
            "passed": len(rules) - len(broken),
            "failed": len(broken),
            "rules": told,
        }

    def _run(self, run_id: str) -> dict[str, Any]:
        return self._request("GetDataQualityRulesetEvaluationRun", RunId=run_id)

    def _request(self, operation: str, **parameters: Any) -> dict[str, Any]:
        named = f"table {self.database_name}.{self.table_name}"
        return self.hook.request(operation, named, **parameters)


def _message(rule: Mapping[str, Any]) -> str:
    return f", {rule['EvaluationMessage']}" if rule.get("EvaluationMessage") else ""
