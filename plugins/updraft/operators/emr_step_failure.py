"""Says why a step failed, with what its logs say."""

from collections.abc import Mapping, Sequence
from typing import Any

from updraft.emr.cluster_states import ENDED, ENDING
from updraft.errors import UpdraftError
from updraft.operators.emr_clusters import Cluster
from updraft.operators.emr_logs import EmrLogs
from updraft.operators.emr_step_runs import EmrStepRuns
from updraft.operators.emr_step_view import Step, has_failed


class StepFailure:
    """The failure of steps, as far as it can be told.

    :param runs: the steps of the task.
    :param cluster: their cluster.
    :param steps: the steps, in their order.
    :param hook_parameters: connection, region, verification and botocore configuration.
    """

    def __init__(
        self,
        runs: EmrStepRuns,
        cluster: Cluster,
        steps: Sequence[Step],
        hook_parameters: Mapping[str, Any],
    ) -> None:
        self._runs = runs
        self._cluster = cluster
        self._failed = [step for step in steps if has_failed(step)]
        ran = [step for step in self._failed if step["Status"]["State"] == "FAILED"]
        self.culprit = (ran or self._failed)[0]
        self._logs = EmrLogs(hook_parameters, cluster.get("LogUri"))
        self._place = self._logs.uri(cluster["Id"], "steps", self.culprit["Id"])
        self._texts = self._logs.fetch(self._place, "/stderr", "/stdout", "/controller")

    @property
    def lacks_logs(self) -> bool:
        """Whether there will be logs that EMR has not uploaded."""
        ran = self.culprit["Status"]["State"] == "FAILED"
        return ran and self._logs.kept and not self._texts

    def error(self) -> UpdraftError:
        """Tell the whole story, and write the ends of the logs into the log of the task.

        :returns: the error to raise.
        """
        status = self._runs.describe(self.culprit["Id"])["Status"]
        details = status.get("FailureDetails") or {}
        reason = status.get("StateChangeReason") or {}
        line = self._logs.show(self._texts)
        said = [details.get("Reason"), details.get("Message"), reason.get("Message"), line]
        told = dict.fromkeys(text.rstrip(". ") for text in said if text)
        why = "; ".join(told) or "EMR says no more"
        parts = [
            f"Step {self.culprit['Id']} ({self.culprit['Name']}) of cluster "
            f"{self._cluster['Id']} ended as {status['State']}: {why}."
        ]
        others = [
            f"{one['Id']} {one['Status']['State']}"
            for one in self._failed
            if one is not self.culprit
        ]
        if others:
            parts.append(f"Also without success: {', '.join(others)}.")
        if self._cluster["Status"]["State"] in (ENDING, *ENDED):
            parts.append(f"The cluster is {self._cluster['Status']['State']}.")
        return UpdraftError(" ".join([*parts, self._where(details.get("LogFile"))]))

    def _where(self, log_file: str | None) -> str:
        if self._texts:
            return f"Its logs are below {self._place}/."
        if log_file:
            return f"Its log is {log_file}, if it has come into being."
        if self._logs.kept:
            return f"EMR has not uploaded its logs to {self._place}/ so far."
        return "There are no logs of it; give the cluster a LogUri to have them."
