"""Steps of a cluster: reading them, and the names by which they are found again."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from updraft.choices import require_choice, unknown_choice
from updraft.errors import ArgumentError, UpdraftError

ACTIONS_ON_FAILURE = ("CONTINUE", "CANCEL_AND_WAIT", "TERMINATE_CLUSTER", "TERMINATE_JOB_FLOW")
"""What a cluster may do when a step fails."""

MOST_ACTIVE_STEPS = 256
"""Steps that may be pending or running, https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-work-with-steps.html."""

COMPLETED = "COMPLETED"
ACTIVE_STATES = ("PENDING", "RUNNING", "CANCEL_PENDING")
"""States of steps that have not ended."""

MOST_CHARACTERS = 10_240
"""Length of all texts of a step together, https://docs.aws.amazon.com/emr/latest/ManagementGuide/add-step-cli.html."""

_LONGEST_NAME = 256
_MEMBERS = ("Name", "ActionOnFailure", "HadoopJarStep", "StepMonitoringConfiguration")
_JAR_MEMBERS = ("Jar", "Args", "MainClass", "Properties")
# Numbers that come out as the user has written them; 1e22 does not, nor is True the true of JSON.
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_IDENTITY = re.compile(
    r" \[(?P<key>[0-9a-f]{12})-(?P<series>[0-9a-f]{6})(?:\.(?P<instance>\d+))?\]$"
)
_EXAMPLE = (
    '[{"Name": "calculate_pi", "HadoopJarStep": {"Jar": "command-runner.jar", '
    '"Args": ["spark-example", "SparkPi", "10"]}}]'
)


@dataclass(frozen=True)
class StepDefinition:
    """One step with named arguments.

    :param name: its name.
    :param args: what ``jar`` is given; ``command-runner.jar`` takes a command.
    :param jar: ``s3://`` URI of a jar, or ``command-runner.jar``.
    :param main_class: class to run, if the jar names none.
    :param properties: Java properties.
    :param action_on_failure: what the cluster does when the step fails, one of
        :data:`ACTIONS_ON_FAILURE`; see :func:`with_action` for the default.
    """

    name: str
    args: Sequence[str] = ()
    jar: str = "command-runner.jar"
    main_class: str | None = None
    properties: Mapping[str, str] | None = None
    action_on_failure: str | None = None

    def request(self) -> dict[str, Any]:
        """Write it as AddJobFlowSteps takes it.

        :returns: the structure.
        """
        # A text stays one, so that it is refused instead of taken apart into its letters.
        arguments = self.args if isinstance(self.args, str) else list(self.args)
        jar: dict[str, Any] = {"Jar": self.jar, "Args": arguments}
        if self.main_class:
            jar["MainClass"] = self.main_class
        if self.properties:
            jar["Properties"] = [{"Key": k, "Value": v} for k, v in self.properties.items()]
        action = {"ActionOnFailure": self.action_on_failure} if self.action_on_failure else {}
        return {"Name": self.name, **action, "HadoopJarStep": jar}


@dataclass(frozen=True)
class StepIdentity:
    """What a step's name says about who added it.

    :param key: hash of owner, place in the list and content.
    :param series: digest of the series of attempts that added it, six hexadecimal digits.
    :param instance: 1 for the first time it was added, 2 for the second, in whichever series.
    """

    key: str
    series: str
    instance: int


def read_steps(
    value: Sequence[StepDefinition | Mapping[str, Any]] | Mapping[str, Any] | str,
    *,
    concurrent: bool = False,
) -> list[dict[str, Any]]:
    """Read a list of steps, and check what EMR would refuse later or less clearly.

    :param value: the steps, or their JSON if a template made them.
    :param concurrent: whether several run at the same time. Then a step that fails cannot cancel
        the others: https://docs.aws.amazon.com/emr/latest/APIReference/API_StepConfig.html.
    :returns: the steps as AddJobFlowSteps takes them, ``ActionOnFailure`` only if it was given.
    :raises UpdraftError: when one is none.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise UpdraftError(
                f"steps: it is not JSON ({error}); it looks like {_EXAMPLE}"
            ) from None
    steps: object = [value] if isinstance(value, Mapping) else value
    if isinstance(steps, str) or not isinstance(steps, Sequence) or not steps:
        raise UpdraftError(f"steps: {value!r} is no list of steps; it looks like {_EXAMPLE}")
    return [_checked(index, step, concurrent) for index, step in enumerate(steps)]


def with_action(step: Mapping[str, Any], *, concurrent: bool) -> dict[str, Any]:
    """Say what happens when a step fails, if the step does not.

    :param step: the step.
    :param concurrent: whether the cluster runs several steps at the same time.
    :returns: the step; the others are cancelled where that is possible.
    """
    action = "CONTINUE" if concurrent else "CANCEL_AND_WAIT"
    return {"ActionOnFailure": action, **step}


def step_key(token: str, index: int, step: Mapping[str, Any]) -> str:
    """Identify a step of a task.

    :param token: token of the task instance.
    :param index: its place in the list.
    :param step: the step as the user wrote it.
    :returns: twelve hexadecimal digits, the same in each attempt.
    """
    content = json.dumps([token, index, step], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def identified(step: Mapping[str, Any], identity: StepIdentity) -> dict[str, Any]:
    """Put the identity of a step into its name.

    :param step: the step.
    :param identity: its identity.
    :returns: the step with the name to send; what does not fit of the user's name is cut.
    """
    instance = f".{identity.instance}" if identity.instance > 1 else ""
    suffix = f" [{identity.key}-{identity.series}{instance}]"
    return {**step, "Name": step["Name"][: _LONGEST_NAME - len(suffix)] + suffix}


def identity_of(name: str) -> StepIdentity | None:
    """Read the identity of a step.

    :param name: name of the step.
    :returns: its identity, ``None`` when no task of Updraft added it.
    """
    match = _IDENTITY.search(name)
    if match is None:
        return None
    return StepIdentity(match["key"], match["series"], int(match["instance"] or 1))


def stops_others(step: Mapping[str, Any]) -> bool:
    """Tell whether the steps after a step are cancelled when it fails.

    :param step: the step as AddJobFlowSteps or ListSteps has it.
    :returns: whether they are.
    """
    return bool(step.get("ActionOnFailure") != "CONTINUE")


def _checked(
    index: int, step: StepDefinition | Mapping[str, Any], concurrent: bool
) -> dict[str, Any]:
    where = f"steps[{index}]"
    if isinstance(step, StepDefinition):
        step = step.request()
    if not isinstance(step, Mapping):
        raise UpdraftError(f"{where}: {step!r} is no step; one looks like {_EXAMPLE[1:-1]}")
    for name in step:
        if name not in _MEMBERS:
            raise unknown_choice(where, name, _MEMBERS)
    jar = step.get("HadoopJarStep")
    if not isinstance(jar, Mapping) or not isinstance(jar.get("Jar"), str) or not jar["Jar"]:
        raise UpdraftError(
            f"{where}: HadoopJarStep names no Jar; use 'command-runner.jar' or the URI of a jar"
        )
    for name in jar:
        if name not in _JAR_MEMBERS:
            raise unknown_choice(f"{where}.HadoopJarStep", name, _JAR_MEMBERS)
    name = step.get("Name") or f"step {index + 1}"
    action = step.get("ActionOnFailure")
    if action is not None:
        require_choice(f"{where}.ActionOnFailure", action, ACTIONS_ON_FAILURE)
    if concurrent and action not in (None, "CONTINUE"):
        raise UpdraftError(
            f"{where}.ActionOnFailure: {action!r} is not possible for steps that run at the same "
            "time; use 'CONTINUE' or step_concurrency=1"
        )
    arguments = _checked_arguments(
        f"{where}.HadoopJarStep.Args", [] if jar.get("Args") is None else jar["Args"]
    )
    _check_properties(f"{where}.HadoopJarStep.Properties", jar.get("Properties"))
    _check_length(f"{where}.HadoopJarStep", jar, arguments)
    return {
        **{member: value for member, value in step.items() if value is not None},
        "Name": str(name),
        "HadoopJarStep": {**jar, "Args": arguments},
    }


def _check_properties(where: str, properties: object) -> None:
    if properties is None:
        return
    if (
        isinstance(properties, str)
        or not isinstance(properties, Sequence)
        or not all(isinstance(one, Mapping) and set(one) == {"Key", "Value"} for one in properties)
    ):
        raise ArgumentError(
            f"{where}: {properties!r} is no list such as [{{'Key': 'mapreduce.job.name', "
            "'Value': 'nightly'}]"
        )


def _check_length(where: str, jar: Mapping[str, Any], arguments: Sequence[str]) -> None:
    texts = [str(jar["Jar"]), str(jar.get("MainClass") or ""), *arguments]
    for one in jar.get("Properties") or ():
        texts += map(str, one.values())
    length = sum(map(len, texts))
    if length > MOST_CHARACTERS:
        longest = max(range(len(arguments)), key=lambda index: len(arguments[index]), default=None)
        hint = "" if longest is None else f", of which Args[{longest}] has most"
        raise ArgumentError(
            f"{where} has {length:,} characters{hint}; EMR takes {MOST_CHARACTERS:,} in all. Put "
            "long arguments into a file in S3 and pass its URI."
        )


def _checked_arguments(where: str, arguments: object) -> list[str]:
    if isinstance(arguments, str) or not isinstance(arguments, Sequence):
        raise UpdraftError(f"{where}: {arguments!r} is no list; give each argument on its own")
    for index, argument in enumerate(arguments):
        if not isinstance(argument, str) and not _NUMBER.fullmatch(repr(argument)):
            raise UpdraftError(f"{where}[{index}]: {argument!r} is no text; put it into quotes")
    return [str(argument) for argument in arguments]
