"""Where the shell commands of a pipeline run after the conversion."""

from collections.abc import Mapping

EC2, SSM, BASH = "ec2", "ssm", "bash"

COMPUTE: Mapping[str, str] = {
    EC2: "an instance of EC2 for each run, as before",
    SSM: "machines of your own, which Systems Manager manages and a tag names",
    BASH: "the Airflow worker",
}
"""Choices of ``updraft convert --compute``, with what they mean."""

NOT_OFFERED: Mapping[str, str] = {
    "batch": "Commands on AWS Batch are not converted yet: use ec2, and move them by hand.",
    "ecs": "Commands on Amazon ECS are not converted yet: use ec2, and move them by hand.",
}
"""Choices that are refused, with the sentence that says so."""

RESOURCE_TAG = "data-pipeline-resource"
"""Tag of machines of one's own that take the place of a resource; its value names it."""

WORKER_GROUP_TAG = "worker-group"
"""Tag of machines of one's own that belonged to a worker group; its value names it."""
