"""What the EMR operators do when answers are lost, calls throttled or limits reached."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowException, AirflowFailException
from botocore.stub import ANY, Stubber

from updraft.dynamodb.service_errors import RefusedRequestError, ServiceError, is_uncertain
from updraft.emr.cluster_failure import lacks_capacity, may_find_room_later
from updraft.emr.steps import StepIdentity, identified, read_steps, step_key
from updraft.errors import UpdraftError
from updraft.hooks.emr import EmrCalls, is_limit
from updraft.operators.emr_cluster import EmrClusterOperator
from updraft.operators.emr_clusters import EmrClusters
from updraft.operators.emr_failed_cluster import end_clusters, with_end_of_clusters
from updraft.operators.emr_step_runs import EmrStepRuns
from updraft.operators.emr_steps import EmrStepsOperator
from updraft.operators.emr_terminate_cluster import EmrTerminateClusterOperator
from updraft.operators.kill_switch import KillSwitch, TaskStoppedError
from updraft.resource_owner import ResourceOwner

OWNER = ResourceOwner("airflow", "d", "r", "create")
SHORT = OWNER.token().replace("-", "")[:12]
TAGS = [{"Key": key, "Value": value} for key, value in OWNER.tags().items()]
REQUEST = {"Name": "nightly", "Instances": {"InstanceCount": 1, "MasterInstanceType": "m5.xlarge"}}
SPOT = {
    "Name": "nightly",
    "Instances": {
        "InstanceGroups": [
            {
                "InstanceRole": "MASTER",
                "InstanceType": "m5.xlarge",
                "InstanceCount": 1,
                "Market": "SPOT",
            }
        ]
    },
}
STEPS = read_steps(
    [{"Name": name, "HadoopJarStep": {"Jar": "command-runner.jar"}} for name in ("one", "two")]
)
SERIES = "abc123"
KEYS = [step_key("token", index, step) for index, step in enumerate(STEPS)]


@pytest.fixture
def emr(monkeypatch):
    """A client whose answers the test writes down; it checks their shapes and the requests'."""
    client = boto3.client(
        "emr", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    monkeypatch.setattr("updraft.hooks.service_calls.connected_client", lambda _: client)
    monkeypatch.setattr("time.sleep", lambda _: None)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def _killed_while(emr, operation, throw):
    """Throw the kill switch when a call has passed its check, as its answer comes."""
    call = getattr(emr.client, operation)

    def killed(**request):
        throw()
        return call(**request)

    setattr(emr.client, operation, killed)


def _calls():
    return EmrCalls({"aws_conn_id": None, "region_name": "eu-west-1"})


def _described(cluster_id, state="WAITING", *, tags=TAGS, hour=1, name=None, reason=None, **others):
    status = {
        "State": state,
        "Timeline": {"CreationDateTime": datetime(2026, 11, 23, hour, tzinfo=UTC)},
        "StateChangeReason": reason or {},
    }
    name = name or f"nightly [{SHORT}]"
    return {"Id": cluster_id, "Name": name, "Status": status, "Tags": tags, **others}


def _listed(emr, *clusters):
    """ListClusters, and DescribeCluster for those that bear the token."""
    emr.add_response(
        "list_clusters",
        {"Clusters": [{"Id": one["Id"], "Name": one["Name"]} for one in clusters]},
        {"CreatedAfter": ANY, "ClusterStates": ANY},
    )
    for one in clusters:
        if SHORT in one["Name"]:
            _describe(emr, one)


def _describe(emr, cluster):
    emr.add_response("describe_cluster", {"Cluster": cluster}, {"ClusterId": cluster["Id"]})


def _created(emr, cluster_id, name=f"nightly [{SHORT}]"):
    expected = {
        "Name": name,
        "Instances": ANY,
        "AutoTerminationPolicy": {"IdleTimeout": 3600},
        "VisibleToAllUsers": True,
        "Tags": TAGS,
    }
    emr.add_response("run_job_flow", {"JobFlowId": cluster_id}, expected)


def _context(task_id="create", attempt=1, retries=0):
    instance = SimpleNamespace(
        dag_id="d",
        run_id="r",
        task_id=task_id,
        map_index=-1,
        try_number=attempt,
        max_tries=retries,
        xcom_push=lambda **_: 0,
    )
    return {"ti": instance}


def _operator(cluster=REQUEST, **others):
    return EmrClusterOperator(
        task_id="create", cluster=cluster, aws_conn_id=None, deferrable=False, **others
    )


def test_a_cluster_is_the_owners_only_if_its_tags_say_so(emr):
    foreign = _described("j-2", tags=[{"Key": "updraft:token", "Value": "other"}])
    _listed(emr, foreign, _described("j-3", name="somebody else's"), _described("j-1"))

    assert [one["Id"] for one in EmrClusters(_calls(), OWNER).own("WAITING")] == ["j-1"]


def test_a_first_attempt_makes_a_cluster(emr):
    _listed(emr)
    _created(emr, "j-1")
    _listed(emr, _described("j-1", "STARTING"))
    _describe(emr, _described("j-1", "STARTING"))
    _describe(emr, _described("j-1"))

    assert _operator().execute(_context()) == "j-1"


def test_a_retry_takes_over_the_cluster(emr):
    _listed(emr, _described("j-1", "BOOTSTRAPPING"))
    _describe(emr, _described("j-1"))

    assert _operator().execute(_context()) == "j-1"


def test_of_two_clusters_the_older_one_stays(emr):
    _listed(emr)
    _created(emr, "j-2")
    _listed(emr, _described("j-2", hour=2), _described("j-1", hour=1))
    emr.add_response("terminate_job_flows", {}, {"JobFlowIds": ["j-2"]})
    _describe(emr, _described("j-1"))

    assert _operator().execute(_context()) == "j-1"


def test_a_cluster_whose_answer_was_lost_is_found(emr):
    _listed(emr)
    emr.add_client_error("run_job_flow", "InternalServerError", "oops", 500)
    _listed(emr)
    _listed(emr, _described("j-1"))
    _listed(emr, _described("j-1"))
    _describe(emr, _described("j-1"))

    assert _operator().execute(_context()) == "j-1"


def test_a_call_without_effect_is_made_again(emr):
    _listed(emr)
    emr.add_client_error("run_job_flow", "InternalServerError", "oops", 500)
    for _ in range(5):
        _listed(emr)
    _created(emr, "j-1")
    _listed(emr, _described("j-1"))
    _describe(emr, _described("j-1"))

    assert _operator().execute(_context()) == "j-1"


def test_throttling_and_limits_are_waited_for(emr):
    emr.add_client_error("list_clusters", "ThrottlingException", "Rate exceeded")
    _listed(emr)
    emr.add_client_error(
        "run_job_flow", "ValidationException", "The number of active clusters exceeds the limit"
    )
    _listed(emr)
    _created(emr, "j-1")
    _listed(emr, _described("j-1"))
    _describe(emr, _described("j-1"))

    assert _operator().execute(_context()) == "j-1"


def test_a_refusal_is_one_error_and_nothing_is_begun(emr):
    _listed(emr)
    emr.add_client_error("run_job_flow", "ValidationException", "The release label is wrong")

    with pytest.raises(AirflowFailException, match="release label is wrong"):
        _operator().execute(_context())


def test_a_role_that_does_not_work_yet_is_worth_a_retry(emr):
    _listed(emr)
    emr.add_client_error("run_job_flow", "ValidationException", "Invalid InstanceProfile: new")

    with pytest.raises(AirflowException, match="Invalid InstanceProfile") as raised:
        _operator().execute(_context())
    assert not isinstance(raised.value, AirflowFailException)


def test_wrong_steps_cost_no_cluster(emr):
    steps = [{**STEPS[0], "ActionOnFailure": "TERMINATE_CLUSTER"}]
    _operator(planned_steps=steps)._checked_cluster()
    for wrong, concurrency, message in (
        ("[{}]", None, r"steps\[0\]: HadoopJarStep names no Jar"),
        (steps, "2", r"'TERMINATE_CLUSTER' is not possible for steps that run at the same time"),
        (steps, "many", "step_concurrency: 'many' is not a whole number"),
    ):
        operator = _operator(planned_steps=wrong, planned_step_concurrency=concurrency)
        with pytest.raises(AirflowFailException, match=message):
            operator.execute(_context())


def test_a_failure_after_the_creation_ends_the_cluster(emr):
    _listed(emr)
    _created(emr, "j-1")
    _listed(emr, _described("j-1", "STARTING"))
    emr.add_client_error("describe_cluster", "AccessDeniedException", "no")
    emr.add_response("terminate_job_flows", {}, {"JobFlowIds": ["j-1"]})

    with pytest.raises(Exception, match=r"DescribeCluster.*not permitted"):
        _operator().execute(_context())


LACKING = {"Code": "VALIDATION_ERROR", "Message": "The requested number of spot instances is 1"}


def test_without_spot_instances_a_cluster_is_made_on_demand_once(emr):
    failed = _described("j-1", "TERMINATED_WITH_ERRORS", reason=LACKING)
    _listed(emr)
    _listed(emr)
    _created(emr, "j-1")
    _listed(emr, _described("j-1", "STARTING"))
    _describe(emr, failed)
    _listed(emr)
    _listed(emr, failed)
    name = f"nightly [{SHORT} on-demand]"
    _created(emr, "j-2", name)
    _listed(emr, _described("j-2", name=name))
    _describe(emr, _described("j-2", name=name))

    assert _operator(SPOT, on_demand_fallback=True).execute(_context()) == "j-2"


def test_without_fallback_the_error_says_what_to_do(emr):
    _listed(emr, _described("j-1", "STARTING"))
    _describe(emr, _described("j-1", "TERMINATED_WITH_ERRORS", reason=LACKING))

    with pytest.raises(Exception, match=r"spot instances.*on_demand_fallback=True"):
        _operator(SPOT).execute(_context())


def test_a_kill_ends_a_cluster_whose_id_is_not_known_yet(emr):
    operator = _operator()
    operator._owner, operator._creating = OWNER, True
    _listed(emr, _described("j-1", "STARTING"))
    emr.add_response("terminate_job_flows", {}, {"JobFlowIds": ["j-1"]})

    operator.on_kill()
    emr.assert_no_pending_responses()  # the cluster was found and ended

    operator.on_kill()  # makes no further call, to which there would be no answer

    with pytest.raises(TaskStoppedError):
        operator._kill_switch.check()


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_a_trigger_that_failed_leaves_no_cluster_unless_a_retry_adopts_it(emr, attempt):
    context = _context(attempt=attempt, retries=2)
    if attempt == 3:
        _listed(emr, _described("j-1", "STARTING"))
        emr.add_response("terminate_job_flows", {}, {"JobFlowIds": ["j-1"]})

    with pytest.raises(Exception, match="Trigger"):
        _operator().resume_execution("__fail__", {"error": "Trigger timeout"}, context)


def test_a_cluster_that_never_shows_up_is_an_error_in_the_end(emr, monkeypatch):
    operator = _operator()
    monkeypatch.setattr(operator, "_made_calls", EmrCalls(_calls().hook_parameters, patience=0))
    _listed(emr)
    emr.add_client_error("run_job_flow", "InternalServerError", "oops", 500)
    for _ in range(5):
        _listed(emr)
    _listed(emr, _described("j-1", "STARTING"))  # it comes late, and nobody else would end it
    emr.add_response("terminate_job_flows", {}, {"JobFlowIds": ["j-1"]})

    with pytest.raises(AirflowException, match=r"RunJobFlow on a new cluster failed .*oops"):
        operator.execute(_context())


def _mine(context):
    context["called"] = True


@pytest.mark.parametrize("given", [{}, {"on_failure_callback": _mine}])
@pytest.mark.parametrize("by_default", [True, False])
def test_a_task_whose_process_died_leaves_no_cluster(emr, given, by_default):
    arguments = {"default_args": given} if by_default else given
    operator = _operator(region_name="{{ params.region }}", **arguments)
    # Airflow calls it in the DAG processor, where no template was rendered.
    context = {**_context(), "task": operator, "params": {"region": "eu-west-1"}}
    _listed(emr, _described("j-1", "STARTING"), _described("j-2", "RUNNING"))
    emr.add_response("terminate_job_flows", {}, {"JobFlowIds": ["j-1"]})
    emr.add_response("terminate_job_flows", {}, {"JobFlowIds": ["j-2"]})

    for callback in operator.on_failure_callback:
        callback(context)

    assert ("called" in context) == bool(given)
    assert operator.calls_outside(context).hook_parameters["region_name"] == "eu-west-1"


def test_the_callbacks_of_the_user_follow_in_their_order():
    others = [_mine, print]

    assert with_end_of_clusters(others) == [end_clusters, _mine, print]
    assert with_end_of_clusters(with_end_of_clusters(print)) == [end_clusters, print]
    assert with_end_of_clusters(None) == [end_clusters]


def test_a_callback_that_may_not_end_clusters_keeps_no_other_one_back(emr, caplog):
    emr.add_client_error("list_clusters", "AccessDeniedException", "no")

    end_clusters({**_context(), "task": _operator()})

    assert "ListClusters on clusters is not permitted" in caplog.text


@pytest.mark.parametrize(
    ("reason", "codes", "lacks"),
    [
        ({"Message": "There is no Spot capacity available"}, [], True),
        ({"Message": "We currently do not have sufficient m5.xlarge capacity"}, [], True),
        ({"Message": "InsufficientInstanceCapacity: try another zone"}, [], True),
        ({"Code": "INSTANCE_FLEET_TIMEOUT", "Message": "Failed to provision"}, [], True),
        ({"Message": "x"}, ["INTERNAL_ERROR_EC2_INSUFFICIENT_CAPACITY_AZ"], True),
        ({"Message": "x"}, ["INTERNAL_ERROR_SPOT_NO_CAPACITY_PRIMARY"], True),
        ({"Message": "Service role has insufficient EC2 permissions"}, [], False),
        ({"Message": "No permission to create the role for EC2 Spot Instances"}, [], False),
        ({"Message": "Spot"}, ["VALIDATION_ERROR_INVALID_SSH_KEY_NAME"], False),
        ({"Code": "USER_REQUEST", "Message": "spot"}, [], False),
        ({"Code": "BOOTSTRAP_FAILURE", "Message": "insufficient capacity"}, [], False),
        ({}, [], False),
    ],
)
def test_only_what_more_capacity_would_mend_is_a_lack_of_it(reason, codes, lacks):
    cluster = _described("j-1", "TERMINATED_WITH_ERRORS", reason=reason)
    cluster["Status"]["ErrorDetails"] = [{"ErrorCode": code} for code in codes]

    assert lacks_capacity(cluster) is lacks


VCPUS = (
    "You have requested more vCPU capacity than your current vCPU limit of 32 allows for the "
    "instance bucket that the specified instance type belongs to"
)
CAPACITY = "We currently do not have sufficient m5.xlarge capacity in the Availability Zone"


@pytest.mark.parametrize(
    ("reason", "details", "on_demand", "on_spot"),
    [
        ({"Code": "VALIDATION_ERROR", "Message": VCPUS}, {}, True, True),
        ({"Message": "VcpuLimitExceeded"}, {}, True, True),
        ({"Message": "The request exceeds your EC2 On-Demand Instance quota"}, {}, True, True),
        ({"Message": "Your current instance limit is 20"}, {}, True, True),
        ({"Message": "Max spot instance count exceeded"}, {}, True, True),
        ({"Message": "x"}, {"ErrorCode": "INTERNAL_ERROR", "ErrorMessage": VCPUS}, True, True),
        ({"Code": "INTERNAL_ERROR", "Message": CAPACITY}, {}, True, False),
        ({"Message": "InsufficientInstanceCapacity"}, {}, True, False),
        (
            {"Message": "x"},
            {"ErrorCode": "INTERNAL_ERROR_EC2_INSUFFICIENT_CAPACITY_AZ"},
            True,
            False,
        ),
        ({"Code": "INSTANCE_FLEET_TIMEOUT", "Message": CAPACITY}, {}, False, False),
        ({"Code": "BOOTSTRAP_FAILURE", "Message": VCPUS}, {}, False, False),
        ({"Code": "USER_REQUEST", "Message": VCPUS}, {}, False, False),
        ({"Message": "No permission to read the EC2 quota"}, {}, False, False),
        ({"Message": "The cluster exceeds the limit of tags"}, {}, False, False),
        ({"Code": "INTERNAL_ERROR", "Message": "internal error"}, {}, False, False),
        ({}, {}, False, False),
    ],
)
def test_only_what_others_give_back_is_worth_another_cluster(reason, details, on_demand, on_spot):
    cluster = _described("j-1", "TERMINATED_WITH_ERRORS", reason=reason)
    cluster["Status"]["ErrorDetails"] = [details] if details else []

    assert may_find_room_later(cluster, spot=False) is on_demand
    assert may_find_room_later(cluster, spot=True) is on_spot


@pytest.mark.parametrize("cluster", [REQUEST, SPOT], ids=["on-demand", "spot"])
def test_a_cluster_that_a_quota_ended_is_followed_by_another_one(emr, cluster):
    reason = {"Code": "VALIDATION_ERROR", "Message": VCPUS}
    for number in (1, 2, 3):
        _listed(emr)
        _created(emr, f"j-{number}")
        _listed(emr, _described(f"j-{number}", "STARTING"))
        if number < 3:
            _describe(emr, _described(f"j-{number}", "TERMINATED_WITH_ERRORS", reason=reason))
    _describe(emr, _described("j-3"))

    assert _operator(cluster).execute(_context()) == "j-3"


def test_waiting_for_room_has_an_end(emr, monkeypatch):
    monkeypatch.setattr("updraft.operators.emr_cluster._LIMIT_PATIENCE", timedelta(seconds=-1))
    reason = {"Code": "VALIDATION_ERROR", "Message": VCPUS}
    _listed(emr)
    _created(emr, "j-1")
    _listed(emr, _described("j-1", "STARTING"))
    _describe(emr, _described("j-1", "TERMINATED_WITH_ERRORS", reason=reason))

    with pytest.raises(AirflowException, match=r"Cluster j-1 ended as .*current vCPU limit of 32"):
        _operator().execute(_context())


def test_without_capacity_on_demand_after_the_fallback_the_task_waits(emr):
    name = f"nightly [{SHORT} on-demand]"
    lacking = {"Code": "INTERNAL_ERROR", "Message": CAPACITY}
    spot = _described("j-1", "TERMINATED_WITH_ERRORS", reason=LACKING)
    _listed(emr, _described("j-2", "STARTING", name=name))
    _describe(emr, _described("j-2", "TERMINATED_WITH_ERRORS", name=name, reason=lacking))
    _listed(emr)
    _listed(emr, spot)
    _created(emr, "j-3", name)
    _listed(emr, _described("j-3", name=name))
    _describe(emr, _described("j-3", name=name))

    assert _operator(SPOT, on_demand_fallback=True).execute(_context()) == "j-3"


def _teardown(**others):
    arguments = {"task_id": "end", "aws_conn_id": None, "deferrable": False, **others}
    return EmrTerminateClusterOperator(**arguments)


def test_a_teardown_finds_the_cluster_of_a_task_that_died(emr):
    _listed(emr, _described("j-1", "RUNNING"))
    emr.add_response("terminate_job_flows", {}, {"JobFlowIds": ["j-1"]})
    _describe(emr, _described("j-1", "TERMINATING"))

    assert _teardown(setup_task_id="create", cluster_id="None").execute(_context("end")) == ["j-1"]


def test_a_teardown_is_content_when_the_cluster_is_gone(emr):
    _listed(emr)
    _describe(emr, _described("j-1", "TERMINATED"))
    _listed(emr)
    emr.add_client_error(
        "describe_cluster", "InvalidRequestException", "Cluster id 'j-1' is not valid."
    )
    operator = _teardown(setup_task_id="create", cluster_id="j-1")

    assert operator.execute(_context("end")) == []
    assert operator.execute(_context("end")) == []


@pytest.mark.parametrize("shown", [True, False])
def test_a_protected_cluster_is_a_clear_error(emr, shown):
    _listed(emr, _described("j-1", TerminationProtected=shown))
    if not shown:
        emr.add_client_error(
            "terminate_job_flows",
            "ValidationException",
            "Could not shut down one or more job flows since they are termination protected.",
        )

    with pytest.raises(Exception, match="termination protection"):
        _teardown(setup_task_id="create").execute(_context("end"))


def test_a_kept_cluster_is_left_alone_and_bears_a_tag_for_the_reaper(emr):
    _listed(emr, _described("j-1", "WAITING"))
    tags = [
        {"Key": "updraft:environment", "Value": "airflow"},
        {"Key": "updraft:keep", "Value": "true"},
    ]
    emr.add_response("add_tags", {}, {"ResourceId": "j-1", "Tags": tags})

    assert _teardown(setup_task_id="create", keep="True").execute(_context("end")) == []


def test_a_teardown_without_anything_to_end_says_so(emr):
    with pytest.raises(Exception, match="neither a cluster_id nor a setup task"):
        _teardown().execute(_context("end"))


def _runs(kill_switch=None, calls=None, **others):
    kill_switch = kill_switch or KillSwitch()
    return EmrStepRuns(
        calls or _calls(), "j-1", "token", SERIES, STEPS, kill_switch=kill_switch, **others
    )


def _step(index, state, step_id, instance=1, series=SERIES):
    named = identified(STEPS[index], StepIdentity(KEYS[index], series, instance))
    return {"Id": step_id, "Name": named["Name"], "Status": {"State": state}}


def _steps_listed(emr, *steps, marker=None):
    answer = {"Steps": list(steps), **({"Marker": "next"} if marker == "more" else {})}
    expected = {"ClusterId": "j-1", **({"Marker": "next"} if marker == "last" else {})}
    emr.add_response("list_steps", answer, expected)


def test_steps_are_found_on_all_pages(emr):
    foreign = {"Id": "s-9", "Name": "somebody's", "Status": {"State": "RUNNING"}}
    _steps_listed(emr, foreign, _step(1, "FAILED", "s-3"), marker="more")
    _steps_listed(emr, _step(1, "CANCELLED", "s-2", 2), _step(0, "COMPLETED", "s-1"), marker="last")
    runs, known = _runs(), {}

    view = runs.view()

    assert view.active == 1
    assert runs.adopt(view, known, set()) == [1]
    assert known == {0: "s-1"}


def test_a_step_that_stands_on_two_pages_is_one(emr):
    _steps_listed(emr, _step(1, "RUNNING", "s-2"), _step(0, "RUNNING", "s-1"), marker="more")
    _steps_listed(emr, _step(0, "RUNNING", "s-1"), marker="last")
    known = {0: "s-1", 1: "s-2"}

    view = _runs().settle(known)  # cancels nothing

    assert view.surplus == []
    assert view.active == 2


def test_steps_that_never_show_up_are_an_error_in_the_end(emr):
    _steps_listed(emr)
    runs = _runs(calls=EmrCalls(_calls().hook_parameters, patience=0))
    view = runs.view()
    emr.add_client_error("add_job_flow_steps", "InternalServerError", "oops", 500)
    for _ in range(5):
        _steps_listed(emr)

    with pytest.raises(ServiceError, match="oops"):
        runs.add(view, [0, 1], STEPS, {}, None)


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_trigger_that_failed_leaves_no_steps_unless_a_retry_adopts_them(emr, attempt):
    operator = EmrStepsOperator(task_id="run", cluster_id="j-1", steps=STEPS, aws_conn_id=None)
    owner = ResourceOwner("airflow", "d", "r", "run")
    named = identified(STEPS[0], StepIdentity(step_key(owner.token(), 0, STEPS[0]), SERIES, 1))
    cancellation = {"ClusterId": "j-1", "StepIds": ["s-1"]}
    cancellation["StepCancellationOption"] = "TERMINATE_PROCESS"
    if attempt == 2:
        _steps_listed(emr, {"Id": "s-1", "Name": named["Name"], "Status": {"State": "RUNNING"}})
        emr.add_response("cancel_steps", {"CancelStepsInfoList": []}, cancellation)
    context = _context("run", attempt, retries=1)

    with pytest.raises(Exception, match="Trigger"):
        operator.resume_execution("__fail__", {"error": "Trigger timeout"}, context)


def _run_steps():
    return EmrStepsOperator(
        task_id="run", cluster_id="j-1", steps=STEPS, aws_conn_id=None, deferrable=False
    )


def test_steps_that_emr_refuses_are_not_tried_again(emr):
    cluster = _described("j-1")
    _describe(emr, cluster)
    emr.add_response("list_steps", {"Steps": []}, {"ClusterId": "j-1"})
    _describe(emr, cluster)
    emr.add_client_error("add_job_flow_steps", "ValidationException", "The step is too long")

    with pytest.raises(AirflowFailException, match="The step is too long"):
        _run_steps().execute(_context("run"))


def test_a_retry_after_a_step_has_ended_the_cluster_names_that_step_and_its_log(emr):
    owner = ResourceOwner("airflow", "d", "r", "run")
    key = step_key(owner.token(), 0, STEPS[0])
    named = identified(STEPS[0], StepIdentity(key, SERIES, 1))
    step = {"Id": "s-1", "Name": named["Name"], "Status": {"State": "FAILED"}}
    cluster = _described("j-1", "TERMINATED_WITH_ERRORS", reason={"Code": "STEP_FAILURE"})
    _describe(emr, cluster)
    emr.add_response("list_steps", {"Steps": [step]}, {"ClusterId": "j-1"})
    _describe(emr, cluster)
    log_file = "s3://logs/j-1/steps/s-1/stderr.gz"
    details = {"Reason": "Unknown Error.", "Message": "Unknown Error", "LogFile": log_file}
    emr.add_response(
        "describe_step",
        {"Step": {**step, "Status": {"State": "FAILED", "FailureDetails": details}}},
        {"ClusterId": "j-1", "StepId": "s-1"},
    )

    with pytest.raises(AirflowException) as raised:
        _run_steps().execute(_context("run", attempt=2))
    assert str(raised.value) == (
        f"Step s-1 ({named['Name']}) of cluster j-1 ended as FAILED: Unknown Error. The cluster is "
        "TERMINATED_WITH_ERRORS. Its log is s3://logs/j-1/steps/s-1/stderr.gz, if it has come into "
        "being."
    )


def test_a_failed_step_is_added_again_with_the_next_number(emr):
    _steps_listed(emr, _step(0, "FAILED", "s-1", 2), _step(1, "RUNNING", "s-2"))
    runs, known, adopted = _runs(), {}, set()
    view = runs.view()
    missing = runs.adopt(view, known, adopted)
    named = identified(STEPS[0], StepIdentity(KEYS[0], SERIES, 3))
    emr.add_response(
        "add_job_flow_steps", {"StepIds": ["s-3"]}, {"JobFlowId": "j-1", "Steps": [named]}
    )

    assert runs.add(view, missing, STEPS, known, None)
    assert known == {0: "s-3", 1: "s-2"}
    assert adopted == {"s-2"}


def _cancelled(emr, *step_ids):
    emr.add_response(
        "cancel_steps",
        {"CancelStepsInfoList": []},
        {
            "ClusterId": "j-1",
            "StepIds": list(step_ids),
            "StepCancellationOption": "TERMINATE_PROCESS",
        },
    )


@pytest.mark.parametrize("second", ["FAILED", "CANCELLED", "INTERRUPTED"])
def test_a_retry_from_the_first_step_runs_again_what_had_completed(emr, second):
    _steps_listed(emr, _step(1, second, "s-2", 3), _step(0, "COMPLETED", "s-1", 3))
    runs, known = _runs(retry_from="first_step"), {}
    view = runs.view()
    missing = runs.adopt(view, known, set())
    named = [identified(STEPS[at], StepIdentity(KEYS[at], SERIES, 4)) for at in (0, 1)]
    emr.add_response(
        "add_job_flow_steps", {"StepIds": ["s-3", "s-4"]}, {"JobFlowId": "j-1", "Steps": named}
    )

    assert runs.add(view, missing, STEPS, known, None)
    assert known == {0: "s-3", 1: "s-4"}


@pytest.mark.parametrize("states", [("COMPLETED", "RUNNING"), ("COMPLETED", "COMPLETED")])
def test_a_retry_from_the_first_step_adopts_a_round_that_has_not_failed(emr, states):
    _steps_listed(emr, _step(1, states[1], "s-2"), _step(0, states[0], "s-1"))
    runs, known = _runs(retry_from="first_step"), {}

    assert runs.adopt(runs.view(), known, set()) == []
    assert known == {0: "s-1", 1: "s-2"}


def test_a_round_of_which_only_a_part_was_added_is_gone_on_with(emr):
    older = (_step(1, "CANCELLED", "s-2"), _step(0, "FAILED", "s-1"))
    _steps_listed(emr, _step(0, "COMPLETED", "s-3", 2), *older)
    runs, known = _runs(retry_from="first_step"), {}
    view = runs.view()
    missing = runs.adopt(view, known, set())
    named = identified(STEPS[1], StepIdentity(KEYS[1], SERIES, 2))
    emr.add_response(
        "add_job_flow_steps", {"StepIds": ["s-4"]}, {"JobFlowId": "j-1", "Steps": [named]}
    )

    assert missing == [1]
    assert runs.add(view, missing, STEPS, known, None)
    assert known == {0: "s-3", 1: "s-4"}


def test_what_goes_on_of_a_failed_round_is_cancelled_before_the_next_one(emr):
    _steps_listed(emr, _step(1, "RUNNING", "s-2"), _step(0, "FAILED", "s-1"))
    _cancelled(emr, "s-2")
    known = {}
    runs = _runs(retry_from="first_step")

    assert runs.adopt(runs.view(), known, set()) == [0, 1]
    assert known == {}


def test_a_round_that_is_cancelled_for_an_earlier_attempt_is_given_up_as_a_whole(emr):
    _steps_listed(emr, _step(1, "CANCELLED", "s-2"), _step(0, "COMPLETED", "s-1"))
    runs, known, adopted = _runs(retry_from="first_step"), {0: "s-1", 1: "s-2"}, {"s-1", "s-2"}

    assert runs.adopt(runs.view(), known, adopted) == [0, 1]
    assert known == {}
    assert adopted == set()


def test_a_round_that_fails_while_the_attempt_waits_is_its_failure(emr):
    _steps_listed(emr, _step(1, "CANCELLED", "s-2"), _step(0, "FAILED", "s-1"))
    runs, known, adopted = _runs(retry_from="first_step"), {0: "s-1", 1: "s-2"}, {"s-1", "s-2"}

    runs.adopt(runs.view(), known, adopted)

    assert known == {0: "s-1"}


def test_a_round_of_another_series_has_not_failed_in_this_one(emr):
    old = "000000"
    _steps_listed(
        emr, _step(1, "FAILED", "s-2", series=old), _step(0, "COMPLETED", "s-1", series=old)
    )
    runs, known = _runs(retry_from="first_step"), {}

    assert runs.adopt(runs.view(), known, set()) == [0, 1]
    assert known == {}


def test_where_a_retry_goes_on_is_one_of_two_places():
    operator = EmrStepsOperator(
        task_id="run", cluster_id="j-1", steps=STEPS, aws_conn_id=None, retry_from="first"
    )

    with pytest.raises(AirflowFailException, match="did you mean 'first_step'"):
        operator.execute(_context("run"))


def test_a_task_that_was_cleared_takes_over_steps_of_which_none_has_ended(emr):
    old = "000000"
    _steps_listed(
        emr, _step(1, "PENDING", "s-2", series=old), _step(0, "RUNNING", "s-1", series=old)
    )
    runs, known = _runs(), {}

    assert runs.adopt(runs.view(), known, set()) == []
    assert known == {0: "s-1", 1: "s-2"}


def test_a_task_that_was_cleared_runs_no_step_before_one_that_runs_again(emr):
    old = "000000"
    _steps_listed(
        emr, _step(1, "RUNNING", "s-2", series=old), _step(0, "COMPLETED", "s-1", series=old)
    )
    emr.add_response(
        "cancel_steps",
        {"CancelStepsInfoList": []},
        {"ClusterId": "j-1", "StepIds": ["s-2"], "StepCancellationOption": "TERMINATE_PROCESS"},
    )
    runs, known = _runs(), {}

    assert runs.adopt(runs.view(), known, set()) == [0, 1]
    assert known == {}


def test_a_task_that_was_told_to_stop_adds_no_steps(emr):
    kill_switch = KillSwitch()
    _steps_listed(emr)
    runs = _runs(kill_switch)
    view = runs.view()
    kill_switch.throw()

    with pytest.raises(TaskStoppedError):
        runs.add(view, [0, 1], STEPS, {}, None)


def test_steps_that_are_added_while_the_task_is_told_to_stop_are_cancelled(emr):
    kill_switch = KillSwitch()
    _steps_listed(emr)
    runs = _runs(kill_switch)
    view = runs.view()
    emr.add_response("add_job_flow_steps", {"StepIds": ["s-1", "s-2"]})
    _killed_while(emr, "add_job_flow_steps", kill_switch.throw)
    _steps_listed(emr, _step(1, "PENDING", "s-2"), _step(0, "RUNNING", "s-1"))
    _cancelled(emr, "s-2", "s-1")

    with pytest.raises(TaskStoppedError):
        runs.add(view, [0, 1], STEPS, {}, None)


def test_a_task_that_was_told_to_stop_makes_no_cluster(emr):
    operator = _operator()
    operator.on_kill()
    _listed(emr)  # to adopt one
    _listed(emr)  # to end one, should it be there

    with pytest.raises(AirflowException, match="told to stop"):
        operator.execute(_context())


def test_a_cluster_that_is_made_while_the_task_is_told_to_stop_is_ended(emr):
    operator = _operator()
    _listed(emr)
    _created(emr, "j-1")
    _killed_while(emr, "run_job_flow", operator._kill_switch.throw)
    emr.add_response("terminate_job_flows", {}, {"JobFlowIds": ["j-1"]})

    with pytest.raises(AirflowException, match="told to stop"):
        operator.execute(_context())


def test_what_is_cancelled_for_an_earlier_attempt_is_added_again(emr):
    _steps_listed(emr, _step(0, "CANCELLED", "s-1"), _step(1, "CANCELLED", "s-2"))
    runs, known, adopted = _runs(), {0: "s-1", 1: "s-2"}, {"s-1"}

    assert runs.adopt(runs.view(), known, adopted) == [0]
    assert known == {1: "s-2"}
    assert adopted == set()


@pytest.mark.parametrize("had_effect", [True, False])
def test_steps_whose_answer_was_lost_are_found_or_added_again(emr, had_effect):
    _steps_listed(emr)
    runs, known = _runs(), {}
    view = runs.view()
    emr.add_client_error("add_job_flow_steps", "InternalServerError", "oops", 500)
    if had_effect:
        _steps_listed(emr, _step(1, "PENDING", "s-2"), _step(0, "PENDING", "s-1"))
    else:
        for _ in range(5):
            _steps_listed(emr)
        emr.add_response("add_job_flow_steps", {"StepIds": ["s-1", "s-2"]})

    assert runs.add(view, [0, 1], STEPS, known, None)
    assert known == {0: "s-1", 1: "s-2"}


def test_a_full_cluster_takes_no_steps_for_now(emr):
    others = [{"Id": f"s-{n}", "Name": "x", "Status": {"State": "PENDING"}} for n in range(256)]
    _steps_listed(emr, *others)
    _steps_listed(emr, *others[1:])
    emr.add_client_error(
        "add_job_flow_steps",
        "ValidationException",
        "Maximum number of active steps(State = Running, Pending or Cancel Pending) for cluster "
        "exceeded.",
    )
    runs = _runs()

    assert not runs.add(runs.view(), [0, 1], STEPS, {}, None)
    assert not runs.add(runs.view(), [0, 1], STEPS, {}, None)


def test_a_step_that_two_attempts_added_runs_once(emr):
    _steps_listed(emr, _step(0, "PENDING", "s-2"), _step(0, "RUNNING", "s-1"))
    emr.add_response(
        "cancel_steps",
        {"CancelStepsInfoList": [{"StepId": "s-2", "Status": "SUBMITTED"}]},
        {"ClusterId": "j-1", "StepIds": ["s-2"], "StepCancellationOption": "TERMINATE_PROCESS"},
    )
    known = {0: "s-2"}

    _runs().settle(known)

    assert known == {0: "s-1"}


@pytest.mark.parametrize(
    ("code", "message", "limit", "uncertain"),
    [
        ("", "", False, True),
        ("InternalServerError", "oops", False, True),
        ("InternalServerException", "oops", False, True),
        ("ServiceUnavailable", "oops", False, True),
        ("ValidationException", "The release label is wrong", False, False),
        ("ServiceQuotaExceededException", "vCPU", True, False),
        ("InstanceLimitExceeded", "", True, False),
        ("ValidationException", "Account limit for active clusters exceeded", True, False),
        ("ValidationException", "IdleTimeout exceeds nothing", False, False),
        ("ValidationException", "Requested vCPUs exceed the vCPU limit of 32", True, False),
        ("ValidationException", "The number of tags exceeds the limit of 50", False, False),
        ("TooManyTagsException", "too many", False, False),
        (
            "ValidationException",
            "Maximum number of instance types for an instance fleet exceeded",
            False,
            False,
        ),
        ("ValidationException", "Argument exceeds the maximum length of 10280", False, False),
        ("ValidationException", "The EBS volume size exceeds the maximum of 16384", False, False),
        (
            "ValidationException",
            "MaximumCoreCapacityUnits exceeds the limit MaximumCapacityUnits",
            False,
            False,
        ),
    ],
)
def test_what_an_error_means(code, message, limit, uncertain):
    error = ServiceError("text", code, message)

    assert is_limit(error) is limit
    assert is_uncertain(error) is uncertain


def test_a_wrong_parameter_is_no_lost_answer(emr):
    emr.deactivate()  # botocore refuses it before it would send anything
    with pytest.raises(RefusedRequestError, match="Invalid type for parameter Instances") as raised:
        _calls().call_once("run_job_flow", "a new cluster", lambda: None, Name="x", Instances="y")

    assert not is_uncertain(raised.value)


def test_patience_with_throttling_has_an_end(emr):
    emr.add_client_error("list_clusters", "ThrottlingException", "Rate exceeded")

    with pytest.raises(UpdraftError, match="Rate exceeded"):
        EmrCalls({"aws_conn_id": None}, patience=0).call("list_clusters", "clusters")
