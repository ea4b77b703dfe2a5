"""Containers of ECS and AWS Batch on the local stack, whose commands really run."""

import time

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from tests.integration.container_places import LOG_GROUP, ContainerPlaces
from tests.integration.glue_tasks import wait_until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def places(local_stack):
    return ContainerPlaces(local_stack.endpoint_url)


def assert_fits_model(service, operation, answer):
    """Check an answer against botocore's model, which parses what it does not know away."""
    shape = botocore.session.get_session().get_service_model(service).operation_model(operation)
    content = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    report = ParamValidator().validate(content, shape.output_shape)
    assert not report.has_errors(), report.generate_report()


def refused(call, **request):
    with pytest.raises(ClientError) as error:
        call(**request)
    return error.value.response["Error"]["Code"]


def test_a_task_of_ecs_runs_its_command_with_what_it_is_given(places):
    overrides = {
        "containerOverrides": [
            {
                "name": "main",
                "command": ["bash", "-c", 'echo "$WORD $OTHER $1"; exit 3', "bash", "a b"],
                "environment": [{"name": "OTHER", "value": "given"}],
            }
        ]
    }
    started = places.run("", overrides=overrides, startedBy="me", tags=[{"key": "k", "value": "v"}])
    task = places.stopped(started["taskArn"])

    assert started["lastStatus"] == "PROVISIONING"
    assert (task["stopCode"], task["desiredStatus"]) == ("EssentialContainerExited", "STOPPED")
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["containers"][0]["exitCode"] == 3
    assert (task["startedBy"], task["tags"]) == ("me", [{"key": "k", "value": "v"}])
    assert task["createdAt"] <= task["startedAt"] <= task["stoppedAt"]
    stream = f"run/main/{task['taskArn'].rpartition('/')[2]}"
    assert places.printed(LOG_GROUP, stream) == ["defined given a b"]
    answer = places.ecs.describe_tasks(cluster=places.name, tasks=[task["taskArn"], "nothing"])
    assert_fits_model("ecs", "DescribeTasks", answer)
    assert answer["failures"] == [{"arn": "nothing", "reason": "MISSING"}]
    assert "tags" not in answer["tasks"][0] or not answer["tasks"][0]["tags"]


def test_a_task_of_ecs_is_stopped_and_listed_by_what_it_is_to_be(places):
    arn = places.run("sleep 60", startedBy="stopper")["taskArn"]

    def listed(state):
        answer = places.ecs.list_tasks(
            cluster=places.name, desiredStatus=state, startedBy="stopper"
        )
        assert_fits_model("ecs", "ListTasks", answer)
        return answer["taskArns"]

    assert (listed("RUNNING"), listed("STOPPED"), listed("PENDING")) == ([arn], [], [])
    wait_until(lambda: places.task(arn)["lastStatus"] == "RUNNING")
    answer = places.ecs.stop_task(cluster=places.name, task=arn, reason="enough")
    assert_fits_model("ecs", "StopTask", answer)
    assert (listed("RUNNING"), listed("STOPPED")) == ([], [arn])
    task = places.stopped(arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")
    assert task["containers"][0]["exitCode"] == 143


def test_a_task_of_ecs_that_is_stopped_before_it_runs_never_does(places, tmp_path):
    arn = places.run(f"touch {tmp_path}/ran")["taskArn"]
    places.ecs.stop_task(cluster=places.name, task=arn)
    assert "exitCode" not in places.stopped(arn)["containers"][0]
    assert not (tmp_path / "ran").exists()


def test_a_program_that_is_not_there_does_not_start(places):
    overrides = {"containerOverrides": [{"name": "main", "command": ["no-such-program"]}]}
    task = places.stopped(places.run("", overrides=overrides)["taskArn"])
    assert task["stopCode"] == "TaskFailedToStart"
    assert "no-such-program" in task["containers"][0]["reason"]


def test_one_client_token_starts_one_task(places):
    first = places.run("true", clientToken="once")
    assert places.run("true", clientToken="once")["taskArn"] == first["taskArn"]
    with pytest.raises(ClientError, match="different RunTask request"):
        places.run("false", clientToken="once")


def test_what_ecs_refuses(places):
    run = places.ecs.run_task
    request = {"cluster": places.name, "taskDefinition": places.name}
    assert refused(run, **request) == "InvalidParameterException"  # no network
    assert refused(run, **{**request, "cluster": "other"}) == "ClusterNotFoundException"
    assert refused(run, **{**request, "taskDefinition": "other"}) == "ClientException"
    stop = {"cluster": places.name, "task": "nothing"}
    assert refused(places.ecs.stop_task, **stop) == "InvalidParameterException"
    for override, text in (
        ({"name": "other"}, "not a container"),
        ({"name": "main", "command": ["x" * 9000]}, "8192"),
    ):
        with pytest.raises(ClientError, match=text):
            places.run("", overrides={"containerOverrides": [override]})


def test_a_job_of_batch_runs_its_command_with_what_it_is_given(places):
    override = {
        "command": ["bash", "-c", 'echo "$WORD $AWS_BATCH_JOB_ATTEMPT $1"', "bash", "Ref::day"],
        "environment": [{"name": "WORD", "value": "given"}],
    }
    job_id = places.submit(
        "", containerOverrides=override, parameters={"day": "a b"}, tags={"k": "v"}
    )
    seen = {places.job(job_id)["status"]}
    wait_until(lambda: seen.add(now := places.job(job_id)["status"]) or now == "SUCCEEDED", 20)
    job = places.job(job_id)

    assert seen & {"SUBMITTED", "PENDING", "RUNNABLE", "STARTING"}
    assert (job["container"]["exitCode"], job["tags"]) == (0, {"k": "v"})
    assert job["createdAt"] <= job["startedAt"] <= job["stoppedAt"]
    stream = job["container"]["logStreamName"]
    assert places.printed("/aws/batch/job", stream) == ["given 1 a b"]
    assert [one["container"]["exitCode"] for one in job["attempts"]] == [0]
    assert_fits_model("batch", "DescribeJobs", places.batch.describe_jobs(jobs=[job_id]))


def test_a_job_of_batch_is_tried_again_by_itself(places):
    command = '[ "$AWS_BATCH_JOB_ATTEMPT" = 2 ]'
    job = places.ended(places.submit(command, retryStrategy={"attempts": 3}))
    assert job["status"] == "SUCCEEDED"
    assert [one["container"]["exitCode"] for one in job["attempts"]] == [1, 0]
    failed = places.ended(places.submit("exit 7"))
    assert (failed["status"], failed["container"]["exitCode"]) == ("FAILED", 7)
    assert failed["statusReason"] == "Essential container in task exited"


def test_a_job_of_batch_that_is_terminated_runs_until_its_container_has_ended(places):
    job_id = places.submit("trap 'sleep 1; exit 0' TERM; sleep 60 & wait", jobName="Ended-1")
    wait_until(lambda: places.job(job_id)["status"] == "RUNNING")
    time.sleep(0.3)  # until bash has set its trap
    places.batch.terminate_job(jobId=job_id, reason="enough")
    ending = places.job(job_id)
    assert (ending["status"], ending["isTerminated"]) == ("RUNNING", True)
    ended = places.ended(job_id)
    assert (ended["status"], ended["statusReason"]) == ("FAILED", "enough")

    at_once = places.submit("sleep 60", jobName="ended-2")
    places.batch.terminate_job(jobId=at_once, reason="never mind")
    assert places.ended(at_once)["isTerminated"]
    for name in ("ended-*", "ENDED-1"):
        filters = [{"name": "JOB_NAME", "values": [name]}]
        answer = places.batch.list_jobs(jobQueue=places.name, filters=filters)
        assert_fits_model("batch", "ListJobs", answer)
        found = [one["jobId"] for one in answer["jobSummaryList"]]
        assert found == ([at_once, job_id] if "*" in name else [job_id])
    answer = places.batch.list_jobs(jobQueue=places.name)  # those that run
    assert not {job_id, at_once} & {one["jobId"] for one in answer["jobSummaryList"]}


def test_what_batch_refuses(places):
    for wrong, text in (
        ({"jobName": "a.b"}, "valid pattern"),
        ({"jobQueue": "other"}, "not found"),
        ({"jobDefinition": "other"}, "not found or inactive"),
        ({"timeout": {"attemptDurationSeconds": 5}}, "at least 60"),
        ({"arrayProperties": {"size": 2}}, "runs no jobs with arrayProperties"),
    ):
        request = {"jobName": "a", "jobQueue": places.name, "jobDefinition": places.name, **wrong}
        with pytest.raises(ClientError, match=text):
            places.batch.submit_job(**request)
