"""What a definition launches that AWS launches no more, or may refuse, and what to take instead."""

import re
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from updraft.datapipeline.evaluation import Evaluator
from updraft.datapipeline.findings import shown_value
from updraft.datapipeline.resolution import ResolvedObject
from updraft.emr.legacy_cluster import (
    PROPOSED_RELEASE,
    is_previous_generation,
)
from updraft.errors import UpdraftError
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.ec2_instance_fields import CURRENT_TYPES
from updraft.migration.mappers.emr_instance_groups import node_type

# Hadoop, Hive and Pig of the release that is proposed (EMR release guide, "Amazon EMR 7.x").
_PROPOSED_SOFTWARE = "Hadoop 3.4, Hive 3.1 and Pig 0.17"
# The last of its line, and the first release that is still mended (EMR release guide, "Amazon EMR
# standard support").
_LAST_OF_FIVE, _FIRST_OF_SIX = (5, 36), (6, 6)
_RELEASE = re.compile(r"emr-(\d+)\.(\d+)")
_CHOSEN_VERSION = re.compile(r"--(hive|pig|hadoop)-versions?\s*[=,]\s*([0-9][\w.]*)")
_ROLES = ("master", "core", "task")


class RetiredResource(BaseModel):
    """Something that can't be launched as the definition says.

    :param object_id: id of the object that says so.
    :param object_type: its type.
    :param field: the field.
    :param value: its value.
    :param gone: whether AWS launches it no more; false where it may still do so.
    :param reason: why.
    :param proposal: what to take instead, or what the DAG does about it.
    """

    model_config = ConfigDict(frozen=True)

    object_id: str
    object_type: str
    field: str
    value: str
    gone: bool
    reason: str
    proposal: str


_Found = tuple[str, bool, str, str]


def retired_resources(workflow: Workflow) -> tuple[RetiredResource, ...]:
    """Look for what can't be launched any more.

    :param workflow: the workflow with its tasks.
    :returns: what was found, in the order of the file.
    """
    found: list[RetiredResource] = []
    for item in workflow.resolved.values():
        checks = {
            "Ec2Resource": _instance,
            "EmrCluster": _cluster,
        }.get(item.type or "", _steps if item.category == "activity" else None)
        if checks is None:
            continue
        unused = item.category == "resource" and item.id not in workflow.tasks
        for field, gone, reason, proposal in checks(item, workflow):
            found.append(
                RetiredResource(
                    object_id=item.id,
                    object_type=item.type or "-",
                    field=field,
                    value=_value(item, field, workflow) or "-",
                    gone=gone,
                    reason=reason,
                    proposal="nothing to do: the DAG makes none" if unused else proposal,
                )
            )
    return tuple(found)


def _value(item: ResolvedObject, name: str, workflow: Workflow) -> str | None:
    """Evaluate a field with the values that parameters have now.

    :returns: none when it is absent, made of a secret, or known to a run only.
    """
    if item.field(name) is None:
        return None
    evaluator = Evaluator(workflow.definition, workflow.resolved, {}, reads_secrets=False)
    try:
        value = evaluator.evaluate_field(name, item)
    except UpdraftError:
        return None
    return shown_value(str(value).strip()) if not isinstance(value, list) else None


def _instance(item: ResolvedObject, workflow: Workflow) -> Iterator[_Found]:
    kind = (_value(item, "instanceType", workflow) or "").casefold()
    has_image = item.field("imageId") is not None
    if is_previous_generation(kind):
        current = CURRENT_TYPES.get(kind)
        proposal = "choose a type of the current generation"
        if current is not None:
            proposal = f"take {current}" if has_image else f"{current}, which the DAG names"
        reason = (
            "a type of a previous generation: hard to get, and current images may not start on it"
        )
        yield "instanceType", False, reason, proposal
    if has_image:
        yield (
            "imageId",
            False,
            "images of that time are deprecated and may be gone; one made for Task Runner may lack "
            "the agent of Systems Manager",
            "leave it out: the DAG then launches Amazon Linux 2023",
        )
    yield from _classic(item)


def _classic(item: ResolvedObject) -> Iterator[_Found]:
    if item.field("securityGroups") is not None and item.field("subnetId") is None:
        yield (
            "securityGroups",
            False,
            "groups by name are those of EC2-Classic, which is closed, or of the default VPC",
            "give subnetId and securityGroupIds of a VPC",
        )


def _cluster(item: ResolvedObject, workflow: Workflow) -> Iterator[_Found]:
    yield from _release(item, workflow)
    if item.field("hadoopVersion") is not None:
        reason = "the release decides which Hadoop runs"
        yield "hadoopVersion", True, reason, f"{PROPOSED_RELEASE} has {_PROPOSED_SOFTWARE}"
    if item.field("supportedProducts") is not None:
        reason = "other distributions of Hadoop are not installed on releases"
        yield "supportedProducts", True, reason, "leave it out, or install it by a bootstrapAction"
    for role in _ROLES:
        name = f"{role}InstanceType"
        kind = (_value(item, name, workflow) or "").casefold()
        if is_previous_generation(kind):
            reason = "a type of a previous generation, which current releases may refuse"
            proposed = node_type(kind)
            replaced = item.field("releaseLabel") is None and "#{" not in (item.text(name) or "")
            proposal = f"{proposed}, which the DAG names" if replaced else f"take {proposed}"
            yield name, False, reason, proposal
    yield from _classic(item)


def _release(item: ResolvedObject, workflow: Workflow) -> Iterator[_Found]:
    if item.field("releaseLabel") is None:
        name = "amiVersion" if item.field("amiVersion") is not None else "releaseLabel"
        yield (
            name,
            True,
            "EMR starts no clusters with an AMI version any more, nor with their Hadoop 1 or 2, "
            "Hive 0.x and Pig 0.x",
            f"{PROPOSED_RELEASE} with {_PROPOSED_SOFTWARE}: test scripts and JARs with it",
        )
        return
    match = _RELEASE.match(_value(item, "releaseLabel", workflow) or "")
    if match is None:
        return
    version = int(match[1]), int(match[2])
    if version < _LAST_OF_FIVE or (6, 0) <= version < _FIRST_OF_SIX:
        reason = "a release that AWS does not mend any more"
        proposal = f"{PROPOSED_RELEASE}, or emr-5.36.2 where Hadoop 2 has to stay"
        yield "releaseLabel", False, reason, proposal


def _steps(item: ResolvedObject, workflow: Workflow) -> Iterator[_Found]:
    """Look for versions that steps ask for; nobody chooses them any more."""
    for name in ("step", "preStepCommand", "postStepCommand"):
        field = item.field(name)
        if field is None or workflow.definition.is_secret(name):
            continue
        for tool, version in dict.fromkeys(
            match.groups() for text in field.texts for match in _CHOSEN_VERSION.finditer(text)
        ):
            reason = f"a step asks for {tool.capitalize()} {version}, which the release decides"
            yield name, True, reason, f"{PROPOSED_RELEASE} has {_PROPOSED_SOFTWARE}"
