"""Alarms, lateness and limits: what actions become, and what the report says of them."""

from datetime import UTC, datetime
from types import SimpleNamespace

import jinja2
import pytest

from updraft.datapipeline.findings import Severity
from updraft.migration.ledger import Status

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"


def _alarm(object_id="Alarm", **texts):
    fields = {"topicArn": TOPIC, "subject": "s", "message": "m", **texts}
    return {"id": object_id, "type": "SnsAlarm", "role": "r", **fields}


def _scheduled(definition):
    definition.item("Default")["scheduleType"] = "cron"
    definition.item("Default")["schedule"] = {"ref": "S"}
    definition.add(
        {
            "id": "S",
            "type": "Schedule",
            "period": "1 day",
            "startAt": "FIRST_ACTIVATION_DATE_TIME",
            "occurrences": "1",
        }
    )


def _second(definition):
    definition.add(
        {
            "id": "Second",
            "type": "EmrActivity",
            "runsOn": {"ref": "Cluster"},
            "input": {"ref": "Backup"},
            "step": "s3://b/x.jar",
        }
    )
    return definition.item("Second")


def _variables(conversion):
    """Evaluate what stands before the DAG."""
    source = conversion.dag_source
    assert source is not None, conversion.findings
    head = source.split('"""\n', 1)[1].partition("\nwith DAG(")[0]
    names: dict[str, object] = {}
    # The test makes the text itself.
    exec(compile(head, "dag", "exec"), names)
    return names


def test_an_alarm_becomes_a_notifier(definition, tasks_of, statuses_of):
    definition.add(
        _alarm(
            subject="#{node.name} failed",
            message="#{node.@pipelineId} #{node.@scheduledStartTime} #{myTable} {% x %}",
        )
    )
    definition.item("ExportActivity")["onFail"] = {"ref": "Alarm"}
    conversion = definition.convert_cleanly()
    assert tasks_of(conversion)["export_activity"]["on_failure_callback"] == "[alarm]"
    alarm = _variables(conversion)["alarm"]
    assert (alarm.target_arn, alarm.region_name) == (TOPIC, "eu-west-1")
    assert "{{ ti.task_id }} failed" in alarm.subject
    assert "{{ dag.dag_id }} {{ dag_run.run_after" in alarm.message
    assert "{{ params.myTable }} {{ '{' }}% x %}" in alarm.message
    statuses = statuses_of(conversion)
    assert {status for (one, _), (status, _) in statuses.items() if one == "Alarm"} == {
        Status.CARRIED_OVER,
        Status.DROPPED,
    }
    assert statuses["Alarm", "role"][0] is Status.DROPPED
    assert "`alarm` tells a topic of Amazon SNS" in conversion.dag_source


@pytest.mark.parametrize(
    ("subject", "rendered"),
    [
        ("x" * 120, "x" * 99),
        ("one\ntwo", "one two"),
        ("{%" * 60, "{%" * 49 + "{"),
        ("#{myTable}", "long words " * 8 + "long..."),
        ("at #{node.@scheduledStartTime}", "at 2024-01-02T03:04:05"),
    ],
)
def test_a_subject_is_as_sns_takes_it(definition, subject, rendered):
    definition.add(_alarm(subject=subject))
    definition.item("ExportActivity")["onFail"] = {"ref": "Alarm"}
    alarm = _variables(definition.convert())["alarm"]
    template = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(alarm.subject)
    text = template.render(
        params={"myTable": "long\nwords " * 20},
        dag_run=SimpleNamespace(run_after=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
    )
    assert text == rendered
    assert len(text) <= 99


@pytest.mark.parametrize(
    ("topic", "region"),
    [
        ("#{myTable}", "{{ params.myTable.split(':')[3] }}"),
        ("arn:aws-cn:sns:cn-north-1:1:t", "cn-north-1"),
        ("arn:aws-us-gov:sns:us-gov-west-1:1:#{myTable}", "us-gov-west-1"),
        ("arn:aws:sns:${region}:1:t", None),
    ],
)
def test_the_region_is_that_of_the_topic(definition, topic, region):
    definition.add(_alarm(topicArn=topic))
    definition.item("ExportActivity")["onFail"] = {"ref": "Alarm"}
    assert _variables(definition.convert())["alarm"].region_name == region


def test_alarms_of_the_pipeline_are_those_of_all_tasks(definition, tasks_of):
    _second(definition)
    definition.add(_alarm(), _alarm("Pager"))
    definition.item("Default")["onFail"] = {"ref": "Alarm"}
    conversion = definition.convert_cleanly()
    assert '"on_failure_callback": [alarm],' in conversion.dag_source
    assert all("on_failure_callback" not in task for task in tasks_of(conversion).values())
    definition.item("Second").update(onFail=[{"ref": "Alarm"}, {"ref": "Pager"}])
    definition.item("Second")["failureAndRerunMode"] = "none"
    tasks = tasks_of(definition.convert_cleanly())
    assert tasks["second"]["on_failure_callback"] == "[alarm, pager]"
    assert "on_failure_callback" not in tasks["export_activity"]


def test_a_failure_that_cascaded_is_heard_of(definition, tasks_of, statuses_of):
    """Airflow calls nothing back for a task whose upstream failed."""
    _second(definition)["onFail"] = {"ref": "Alarm"}
    definition.add(_alarm(message="#{node.output} #{node.name}"))
    conversion = definition.convert_cleanly()
    tasks = tasks_of(conversion)
    assert tasks["export_activity"]["on_failure_callback"] == "[alarm]"
    assert tasks["cluster"]["on_failure_callback"] == "[alarm]"
    assert "cascaded" in statuses_of(conversion)["Second", "onFail"][1]
    definition.item("Default")["failureAndRerunMode"] = "none"
    tasks = tasks_of(definition.convert_cleanly())
    assert "on_failure_callback" not in tasks["export_activity"]


def test_success_is_told_once(definition, tasks_of):
    _second(definition)["onSuccess"] = {"ref": "Alarm"}
    definition.item("Cluster")["onSuccess"] = {"ref": "Alarm"}
    definition.add(_alarm())
    tasks = tasks_of(definition.convert_cleanly())
    told = [name for name, task in tasks.items() if "on_success_callback" in task]
    assert told == ["second", "cluster_terminate"]


def test_a_data_node_tells_by_what_checks_it(definition, tasks_of, statuses_of):
    definition.add(_alarm(), {"id": "There", "type": "DynamoDBTableExists", "role": "r"})
    definition.item("There")["tableName"] = "#{node.tableName}"
    definition.item("Table").update(
        precondition={"ref": "There"}, onFail={"ref": "Alarm"}, onSuccess={"ref": "Alarm"}
    )
    conversion = definition.convert_cleanly()
    tasks = tasks_of(conversion)
    assert tasks["there"]["on_failure_callback"] == "[alarm]"
    assert tasks["there"]["on_success_callback"] == "[alarm]"
    assert "on_failure_callback" not in tasks["export_activity"]
    assert statuses_of(conversion)["Table", "onSuccess"][0] is Status.CARRIED_OVER
    del definition.item("Table")["precondition"]
    definition.item("Backup")["onFail"] = {"ref": "Alarm"}
    conversion = definition.convert_cleanly()
    assert tasks_of(conversion)["export_activity"]["on_failure_callback"] == "[alarm]"
    statuses = statuses_of(conversion)
    assert statuses["Table", "onFail"][0] is Status.DROPPED
    assert statuses["Table", "onSuccess"][0] is Status.NEEDS_DECISION


def test_what_can_not_be_said_stays_and_is_told(definition, statuses_of):
    definition.add(_alarm(message="#{node.@healthStatus} from #{node.input} #{id}"))
    definition.item("ExportActivity")["onFail"] = {"ref": "Alarm"}
    conversion = definition.convert_cleanly()
    assert _variables(conversion)["alarm"].message == "#{node.@healthStatus} from Table Alarm"
    status, note = statuses_of(conversion)["Alarm", "message"]
    assert status is Status.NEEDS_DECISION
    assert "@healthStatus" in note


def test_nobody_to_tell_is_a_warning(definition, statuses_of):
    definition.document["parameters"].append({"id": "*myTopic", "type": "String"})
    definition.add(_alarm(topicArn="#{*myTopic}"))
    definition.item("ExportActivity")["onFail"] = {"ref": "Alarm"}
    conversion = definition.convert()
    assert [one.severity for one in conversion.findings] == [Severity.WARNING]
    assert "Nobody is told" in conversion.findings[0].message
    assert "SnsNotifier" not in conversion.dag_source
    assert statuses_of(conversion)["ExportActivity", "onFail"][0] is Status.NEEDS_DECISION


def test_unused_actions_are_dropped(definition, statuses_of):
    definition.add(_alarm(), {"id": "Stop", "type": "Terminate"})
    statuses = statuses_of(definition.convert_cleanly())
    assert statuses["Alarm", "topicArn"][0] is Status.DROPPED
    assert statuses["Stop", "type"][0] is Status.DROPPED


def test_lateness(definition, tasks_of, statuses_of):
    _scheduled(definition)
    definition.add(
        _alarm(
            "Late", subject="#{node.name}", message="{#{node.@pipelineId} #{myTable} #{node.id}"
        ),
        {"id": "Stop", "type": "Terminate"},
    )
    definition.item("ExportActivity").update(
        lateAfterTimeout="2 hours", onLateAction=[{"ref": "Late"}, {"ref": "Stop"}]
    )
    definition.document["values"] = {"myTable": "orders"}
    conversion = definition.convert_cleanly()
    task = tasks_of(conversion)["export_activity"]
    assert task["pre_execute"] == "fail_when_late(timedelta(hours=2))"
    assert "deadline=[late_late]" in conversion.dag_source
    deadline = _variables(conversion)["late_late"]
    kwargs = deadline.callback.kwargs
    assert kwargs["subject"] == "ExportActivity"
    assert kwargs["message"] == "{{ '{' }}{{ dag_run.dag_id }} orders ExportActivity"
    assert kwargs["region_name"] == "eu-west-1"
    statuses = statuses_of(conversion)
    for name in ("lateAfterTimeout", "onLateAction"):
        assert statuses["ExportActivity", name][0] is Status.APPROXIMATED
    assert statuses["Stop", "type"][0] is Status.APPROXIMATED


def test_objects_that_are_late_by_the_same_alarm_share_a_deadline(definition, statuses_of):
    _scheduled(definition)
    definition.add(
        _alarm("Late", subject="late: #{node.name}", message="#{node.id} (#{node.type}) is late")
    )
    late = {"lateAfterTimeout": "1 hour", "onLateAction": {"ref": "Late"}}
    definition.item("Default").update(late)
    names = ["ExportActivity", "Cluster", "Second", "Third"]
    definition.add({**_second(definition), "id": "Third"})
    conversion = definition.convert_cleanly()

    assert "deadline=[late_late]" in conversion.dag_source
    kwargs = _variables(conversion)["late_late"].callback.kwargs
    told, _, types = kwargs["message"].partition(" (")
    assert sorted(told.split(", ")) == sorted(names)
    assert types == "EmrActivity, EmrCluster) is late"
    first = ", ".join(told.split(", ")[:3])
    assert kwargs["subject"] == f"late: {first} and 1 more"
    for name in late:
        status, note = statuses_of(conversion)["Default", name]
        assert status is Status.APPROXIMATED
        assert "each of 4 objects, which share this one message" in note


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"lateAfterTimeout": "1 hour"}, {"lateAfterTimeout": "2 hours"}),
        ({"myTopic": TOPIC}, {"myTopic": f"{TOPIC}-of-others"}),
        ({"onLateAction": {"ref": "Late"}}, {"onLateAction": {"ref": "Other"}}),
    ],
    ids=["limits", "topics", "alarms"],
)
def test_what_is_late_otherwise_has_a_deadline_of_its_own(definition, statuses_of, first, second):
    _scheduled(definition)
    words = {"topicArn": "#{node.myTopic}", "message": "#{node.name} is late"}
    definition.add(_alarm("Late", **words), _alarm("Other", **words))
    late = {"lateAfterTimeout": "1 hour", "onLateAction": {"ref": "Late"}, "myTopic": TOPIC}
    definition.item("ExportActivity").update(late | first)
    _second(definition).update(late | second)
    conversion = definition.convert_cleanly()

    deadlines = [one for name, one in _variables(conversion).items() if "_late" in name]
    messages = [one.callback.kwargs["message"] for one in deadlines]
    assert messages == ["ExportActivity is late", "Second is late"]
    for one in ("ExportActivity", "Second"):
        status, note = statuses_of(conversion)[one, "onLateAction"]
        assert status is Status.APPROXIMATED
        assert "the start of this object alone" in note


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"lateAfterTimeout": "1 hour"}, Status.DROPPED, "no onLateAction"),
        ({"onLateAction": {"ref": "Alarm"}}, Status.DROPPED, "without a lateAfterTimeout"),
        (
            {"lateAfterTimeout": "#{myTable}", "onLateAction": {"ref": "Alarm"}},
            Status.NEEDS_DECISION,
            "no fixed length",
        ),
    ],
)
def test_lateness_without_effect(definition, statuses_of, fields, status, words):
    _scheduled(definition)
    definition.add(_alarm())
    definition.item("ExportActivity").update(fields)
    conversion = definition.convert_cleanly()
    assert "deadline" not in conversion.dag_source
    statuses = statuses_of(conversion)
    for name in fields:
        assert statuses["ExportActivity", name][0] is status
        assert words in statuses["ExportActivity", name][1]


def test_a_topic_that_the_form_gives_hears_of_no_lateness(definition, statuses_of):
    _scheduled(definition)
    definition.add(_alarm(topicArn="#{myTable}"))
    late = {"lateAfterTimeout": "1 hour", "onLateAction": {"ref": "Alarm"}}
    definition.item("ExportActivity").update(late)
    conversion = definition.convert_cleanly()
    assert "deadline" not in conversion.dag_source
    status, note = statuses_of(conversion)["ExportActivity", "onLateAction"]
    assert status is Status.NEEDS_DECISION
    assert "nobody can be told" in note


@pytest.mark.parametrize("airflow", ["3.0", "2.11"])
def test_an_airflow_without_deadlines_gets_none(definition, statuses_of, airflow):
    _scheduled(definition)
    definition.add(_alarm())
    late = {"lateAfterTimeout": "1 hour", "onLateAction": {"ref": "Alarm"}}
    definition.item("ExportActivity").update(late)
    conversion = definition.convert(airflow=airflow)
    assert "deadline" not in conversion.dag_source
    status, note = statuses_of(conversion)["ExportActivity", "onLateAction"]
    assert status is Status.NEEDS_DECISION
    assert "deadlines since 3.2" in note


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("#{format(node.@scheduledStartTime, 'YYYY-MM-dd')}", "2024-02-28"),
        ("#{node.@scheduledEndTime.format('yyyy-MM-dd')}", "2024-02-29"),
        ("on #{format(@scheduledStartTime, 'EEEE')}", "on 2024-02-28T05:00:00Z"),
    ],
)
def test_a_message_of_lateness_has_no_expression_in_it(definition, statuses_of, text, rendered):
    _scheduled(definition)
    definition.add(_alarm(subject=text))
    late = {"lateAfterTimeout": "1 hour", "onLateAction": {"ref": "Alarm"}}
    definition.item("ExportActivity").update(late)
    conversion = definition.convert()

    deadline = _variables(conversion)["alarm_late"]
    run = {
        "data_interval_start": "2024-02-28T05:00:00Z",
        "data_interval_end": "2024-02-29T05:00:00Z",
    }
    subject = jinja2.Template(deadline.callback.kwargs["subject"]).render(dag_run=run)
    assert subject == rendered
    _, note = statuses_of(conversion)["ExportActivity", "onLateAction"]
    assert "as they are written" not in note


def test_nothing_is_late_on_demand(definition, statuses_of):
    definition.add(_alarm())
    definition.item("ExportActivity").update(
        lateAfterTimeout="1 hour", onLateAction={"ref": "Alarm"}
    )
    statuses = statuses_of(definition.convert_cleanly())
    assert statuses["ExportActivity", "onLateAction"][0] is Status.DROPPED


def test_terminate_is_for_lateness_only(definition, statuses_of):
    definition.add({"id": "Stop", "type": "Terminate"})
    definition.item("ExportActivity")["onFail"] = {"ref": "Stop"}
    (finding,) = definition.convert().findings
    assert finding.severity is Severity.WARNING
    assert finding.field == "onFail"


@pytest.mark.parametrize(
    ("limit", "argument", "status"),
    [
        ("1", 1, Status.EQUIVALENT),
        ("3", None, Status.EQUIVALENT),
        ("5", None, Status.APPROXIMATED),
        ("#{myTable}", None, Status.NEEDS_DECISION),
    ],
)
def test_instances_of_an_object(definition, tasks_of, statuses_of, limit, argument, status):  # noqa: PLR0917 - fixtures
    definition.item("Default")["maxActiveInstances"] = "3"
    definition.item("ExportActivity")["maxActiveInstances"] = limit
    conversion = definition.convert_cleanly()
    task = tasks_of(conversion)["export_activity"]
    assert task.get("max_active_tis_per_dag") == argument
    assert statuses_of(conversion)["ExportActivity", "maxActiveInstances"][0] is status


def test_a_data_node_and_its_preconditions_are_late(definition, tasks_of, statuses_of):
    _scheduled(definition)
    definition.add(
        _alarm(subject="#{node.name}", message="#{node.hostname}"),
        {"id": "Stop", "type": "Terminate"},
        {"id": "There", "type": "DynamoDBDataExists", "role": "r", "tableName": "t"},
    )
    late = {"lateAfterTimeout": "1 hour", "onLateAction": [{"ref": "Alarm"}, {"ref": "Stop"}]}
    definition.item("Table").update(late, precondition={"ref": "There"})
    definition.item("There").update(late)
    definition.item("Backup").update(late)
    conversion = definition.convert_cleanly()
    note = statuses_of(conversion)["Table", "onLateAction"][1]
    assert "stay as they are written" in note
    assert "deadline=[alarm_late]" in conversion.dag_source
    deadline = _variables(conversion)["alarm_late"]
    assert deadline.callback.kwargs["subject"] == "Table, Backup, There"
    tasks = tasks_of(conversion)
    assert tasks["there"]["pre_execute"] == "fail_when_late(timedelta(hours=1))"
    assert "pre_execute" not in tasks["export_activity"]
    statuses = statuses_of(conversion)
    assert "nothing is cancelled" in statuses["Backup", "onLateAction"][1]
    assert {statuses[one, "onLateAction"][0] for one in ("Table", "There", "Backup")} == {
        Status.APPROXIMATED
    }
