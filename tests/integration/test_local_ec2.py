"""Instances of the local stack, and commands that really run on them."""

import time
import uuid

import boto3
import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.integration

IMAGE = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
REGION = "eu-central-1"


class Machines:
    """Launches instances and runs commands on them.

    :param endpoint_url: address of the local stack.
    """

    def __init__(self, endpoint_url):
        session = boto3.session.Session(
            aws_access_key_id="local", aws_secret_access_key="local", region_name=REGION
        )
        self.ec2, self.ssm, self.s3 = (
            session.client(name, endpoint_url=endpoint_url) for name in ("ec2", "ssm", "s3")
        )

    def launch(self, **parameters):
        request = {"ImageId": IMAGE, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
        request |= {"IamInstanceProfile": {"Name": "machine"}, **parameters}
        return self.ec2.run_instances(**request)["Instances"][0]

    def describe(self, instance_id):
        (reservation,) = self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
        return reservation["Instances"][0]

    def until(self, instance_id, state):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            instance = self.describe(instance_id)
            if instance["State"]["Name"] == state:
                return instance
            time.sleep(0.1)
        raise AssertionError(f"{instance_id} is {instance['State']['Name']}, not {state}")

    def managed(self):
        end = time.monotonic() + 10
        instance_id = self.launch()["InstanceId"]
        filters = [{"Key": "InstanceIds", "Values": [instance_id]}]
        while time.monotonic() < end:
            if self.ssm.describe_instance_information(Filters=filters)["InstanceInformationList"]:
                return instance_id
            time.sleep(0.1)
        raise AssertionError(f"{instance_id} is not managed")

    def send(self, instance_id, *commands, **parameters):
        request = {"DocumentName": "AWS-RunShellScript", "InstanceIds": [instance_id]}
        values = {"commands": list(commands), **parameters.pop("Parameters", {})}
        command = self.ssm.send_command(**request, Parameters=values, **parameters)["Command"]
        return command["CommandId"]

    def result(self, command_id, instance_id):
        end = time.monotonic() + 15
        while time.monotonic() < end:
            found = self.ssm.get_command_invocation(CommandId=command_id, InstanceId=instance_id)
            if found["Status"] not in {"Pending", "InProgress", "Cancelling"}:
                return found
            time.sleep(0.1)
        raise AssertionError(f"{command_id} is {found['Status']}")


@pytest.fixture(scope="module")
def machines(local_stack):
    return Machines(local_stack.endpoint_url)


@pytest.fixture(scope="module")
def machine(machines):
    instance_id = machines.managed()
    yield instance_id
    machines.ec2.terminate_instances(InstanceIds=[instance_id])


def code_of(error):
    return error.value.response["Error"]["Code"]


def test_an_instance_is_launched_once_for_its_client_token(machines):
    token, tags = str(uuid.uuid4()), [{"Key": "a", "Value": "b"}]
    request = {"ClientToken": token}
    request["TagSpecifications"] = [{"ResourceType": "instance", "Tags": tags}]

    first, second = machines.launch(**request), machines.launch(**request)
    with pytest.raises(ClientError) as error:
        machines.launch(**request, InstanceInitiatedShutdownBehavior="terminate")

    assert first["InstanceId"] == second["InstanceId"]
    assert code_of(error) == "IdempotentParameterMismatch"
    by_token = [{"Name": "client-token", "Values": [token]}, {"Name": "tag:a", "Values": ["b"]}]
    found = machines.ec2.describe_instances(Filters=by_token)["Reservations"]
    assert [one["InstanceId"] for each in found for one in each["Instances"]] == [
        first["InstanceId"]
    ]
    machines.ec2.terminate_instances(InstanceIds=[first["InstanceId"]])
    ended = machines.until(first["InstanceId"], "terminated")
    assert ended["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    assert machines.launch(**request)["State"]["Name"] == "terminated"


def test_a_machine_that_shuts_down_ends_its_instance(machines):
    script = "#!/bin/bash\nshutdown -P now\n"
    ending = machines.launch(UserData=script, InstanceInitiatedShutdownBehavior="terminate")
    stopping = machines.launch(UserData=script)

    reason = machines.until(ending["InstanceId"], "terminated")["StateReason"]

    assert reason["Code"] == "Client.InstanceInitiatedShutdown"
    machines.until(stopping["InstanceId"], "stopped")


def test_what_does_not_exist_is_refused(machines):
    for parameters, code in (
        ({"ImageId": "ami-12345678"}, "InvalidAMIID.NotFound"),
        ({"SubnetId": "subnet-12345678"}, "InvalidSubnetID.NotFound"),
        ({"ImageId": "resolve:ssm:/no/such/parameter"}, "ParameterNotFound"),
    ):
        with pytest.raises(ClientError) as error:
            machines.launch(**parameters)
        assert code_of(error) == code
    with pytest.raises(ClientError) as error:
        machines.send("i-00000000000000000", "true")
    assert code_of(error) == "InvalidInstanceId"


def test_commands_of_one_instance_share_its_home(machines, machine):
    write = machines.send(machine, "cd ~; echo one two > shared; aws --version")
    assert machines.result(write, machine)["Status"] == "Success"

    read = machines.send(machine, "#!/bin/bash", 'read -a words < ~/shared; echo "${words[1]}"')

    assert machines.result(read, machine)["StandardOutputContent"] == "two\n"


def test_a_command_fails_with_its_exit_code_and_keeps_its_output(machines, machine):
    machines.s3.create_bucket(
        Bucket="outputs", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    where = {"OutputS3BucketName": "outputs", "OutputS3KeyPrefix": "ssm"}
    command = machines.send(machine, "echo out; echo err >&2; exit 7", **where)

    result = machines.result(command, machine)

    assert (result["Status"], result["ResponseCode"]) == ("Failed", 7)
    assert result["StandardErrorContent"] == "err\nfailed to run commands: exit status 7"
    key = f"ssm/{command}/{machine}/awsrunShellScript/0.awsrunShellScript/stdout"
    assert machines.s3.get_object(Bucket="outputs", Key=key)["Body"].read() == b"out\n"


def test_a_command_is_cancelled_or_takes_too_long(machines, machine):
    cancelled = machines.send(machine, "sleep 60 & wait")
    late = machines.send(machine, "sleep 60", Parameters={"executionTimeout": ["1"]})
    time.sleep(0.5)
    machines.ssm.cancel_command(CommandId=cancelled)

    assert machines.result(cancelled, machine)["Status"] == "Cancelled"
    assert machines.result(late, machine)["Status"] == "TimedOut"
    listed = machines.ssm.list_commands(InstanceId=machine)["Commands"]
    assert [one["CommandId"] for one in listed[:2]] == [late, cancelled]
