"""Data quality rulesets, really evaluated on the rows of a table.

.. seealso:: https://docs.aws.amazon.com/glue/latest/dg/data-quality-gs-api.html
"""

import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.glue.background import States, Work, Works
from include.local.gateway.services.glue.catalog import describe_table

_GIVEN = ("DataSource", "Role", "NumberOfWorkers", "Timeout", "RulesetNames")
_REFUSED = ("AdditionalDataSources",)


class DataQuality:
    """Keeps rulesets and evaluates them; moto knows no such operations.

    :param endpoint_url: address of the gateway.
    """

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._works = Works()
        self._lock = threading.Lock()
        self._rulesets: dict[tuple[str, str], dict[str, Any]] = {}
        self._results: dict[str, dict[str, Any]] = {}
        self._tokens: dict[tuple[str, str], Work] = {}

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "BatchGetDataQualityResult": self._get_results,
            "CancelDataQualityRulesetEvaluationRun": self._cancel,
            "CreateDataQualityRuleset": self._create,
            "DeleteDataQualityRuleset": self._delete,
            "GetDataQualityResult": self._get_result,
            "GetDataQualityRuleset": self._get_ruleset,
            "GetDataQualityRulesetEvaluationRun": self._get,
            "ListDataQualityRulesetEvaluationRuns": self._list,
            "StartDataQualityRulesetEvaluationRun": self._start,
        }

    def _create(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        key = request.region, given["Name"]
        with self._lock:
            if key in self._rulesets:
                raise AwsError("AlreadyExistsException", f"Ruleset {given['Name']} exists")
            members = ("Name", "Description", "Ruleset", "TargetTable")
            self._rulesets[key] = {m: given[m] for m in members if m in given} | {
                "CreatedOn": datetime.now(UTC)
            }
        return {"Name": given["Name"]}

    def _delete(self, request: OperationRequest) -> Mapping[str, Any]:
        self._ruleset(request.region, request.parameters["Name"])
        with self._lock:
            self._rulesets.pop((request.region, request.parameters["Name"]), None)
        return {}

    def _get_ruleset(self, request: OperationRequest) -> Mapping[str, Any]:
        return self._ruleset(request.region, request.parameters["Name"])

    def _ruleset(self, region: str, name: str) -> dict[str, Any]:
        ruleset = self._rulesets.get((region, name))
        if ruleset is None:
            raise AwsError("EntityNotFoundException", f"Ruleset {name} does not exist")
        return ruleset

    def _start(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        refused = [name for name in _REFUSED if given.get(name)]
        source = given["DataSource"].get("GlueTable")
        if refused or source is None:
            what = ", ".join(refused) or "a DataSource without GlueTable"
            raise AwsError("InvalidInputException", f"The local stack does not take {what}", 501)
        for name in given["RulesetNames"]:
            self._ruleset(request.region, name)
        describe_table(
            self._endpoint_url, request.region, source["DatabaseName"], source["TableName"]
        )
        details = {name: given[name] for name in _GIVEN if name in given}
        token = request.region, given.get("ClientToken") or str(uuid.uuid4())
        with self._lock:
            known = self._tokens.get(token)
            if known is not None:
                if {k: v for k, v in known.details.items() if k in _GIVEN} != details:
                    raise AwsError("ConflictException", "The token was used with other parameters")
                return {"RunId": known.id}
            work = Work(request.region, f"evaluation {uuid.uuid4()}", States(), details)
            work.id = f"dqrun-{uuid.uuid4().hex}"
            self._tokens[token] = work
            self._works.start(work, self._evaluate)
        return {"RunId": work.id}

    def _evaluate(self, work: Work) -> None:
        # pyarrow is not loaded before somebody needs it.
        from include.local.gateway.services.glue.quality_rules import evaluate  # noqa: PLC0415
        from include.local.gateway.services.glue.table_data import (  # noqa: PLC0415
            hold,
            read_table,
        )

        source = work.details["DataSource"]["GlueTable"]
        table = describe_table(
            self._endpoint_url, work.region, source["DatabaseName"], source["TableName"]
        )
        location = table.get("StorageDescriptor", {}).get("Location", "")
        hold(self._endpoint_url, work.region, location, work.stop_asked)
        rows = read_table(self._endpoint_url, work.region, table)
        ids = []
        for name in work.details["RulesetNames"]:
            outcomes = evaluate(self._ruleset(work.region, name)["Ruleset"], rows)
            passed = sum(outcome["Result"] == "PASS" for outcome in outcomes)
            result_id = f"dqresult-{uuid.uuid4().hex}"
            ids.append(result_id)
            with self._lock:
                self._results[result_id] = {
                    "ResultId": result_id,
                    "Score": passed / len(outcomes),
                    "DataSource": work.details["DataSource"],
                    "RulesetName": name,
                    "StartedOn": work.started,
                    "CompletedOn": datetime.now(UTC),
                    "RulesetEvaluationRunId": work.id,
                    "RuleResults": outcomes,
                }
        work.details["ResultIds"] = ids

    def _get(self, request: OperationRequest) -> Mapping[str, Any]:
        work = self._find(request)
        members: dict[str, Any] = {
            "RunId": work.id,
            "Status": work.state,
            "StartedOn": work.started,
            **work.details,
        }
        if work.ended is not None:
            members["CompletedOn"] = work.ended
            members["ExecutionTime"] = int((work.ended - work.started).total_seconds())
        if work.error is not None:
            members["ErrorString"] = work.error
        return members

    def _list(self, request: OperationRequest) -> Mapping[str, Any]:
        wanted = request.parameters.get("Filter", {})
        if set(wanted) - {"DataSource"}:
            raise AwsError(
                "InvalidInputException", "The local stack filters evaluations by DataSource", 501
            )
        source = wanted.get("DataSource")
        with self._lock:
            works = [work for (region, _), work in self._tokens.items() if region == request.region]
        runs = [
            {
                "RunId": work.id,
                "Status": work.state,
                "StartedOn": work.started,
                "DataSource": work.details["DataSource"],
            }
            for work in works
            if source in (None, work.details["DataSource"])
        ]
        return {"Runs": runs}

    def _cancel(self, request: OperationRequest) -> Mapping[str, Any]:
        self._works.stop(self._find(request))
        return {}

    def _find(self, request: OperationRequest) -> Work:
        run_id = request.parameters["RunId"]
        work = self._works.find(request.region, run_id)
        if work is None:
            raise AwsError("EntityNotFoundException", f"Evaluation run {run_id} does not exist")
        return work

    def _get_result(self, request: OperationRequest) -> Mapping[str, Any]:
        found = self._results.get(request.parameters["ResultId"])
        if found is None:
            raise AwsError("EntityNotFoundException", "The result does not exist")
        return found

    def _get_results(self, request: OperationRequest) -> Mapping[str, Any]:
        ids = request.parameters["ResultIds"]
        return {
            "Results": [self._results[one] for one in ids if one in self._results],
            "ResultsNotFound": [one for one in ids if one not in self._results],
        }
