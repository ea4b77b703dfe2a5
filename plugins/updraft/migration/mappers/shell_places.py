"""Where the shell commands of a pipeline run after the conversion."""

from collections.abc import Mapping

EC2, SSM, BASH, ECS, BATCH = "ec2", "ssm", "bash", "ecs", "batch"

COMPUTE: Mapping[str, str] = {
    EC2: "an instance of EC2 for each run, as before",
    SSM: "machines of your own, which Systems Manager manages and a tag names",
    BASH: "the Airflow worker",
    ECS: "a container on Amazon ECS, whose cluster and task definition the form asks for",
    BATCH: "a job of AWS Batch, whose queue and definition the form asks for",
}
"""Choices of ``updraft convert --compute``, with what they mean."""

RESOURCE_TAG = "data-pipeline-resource"
"""Tag of machines of one's own that take the place of a resource; its value names it."""

WORKER_GROUP_TAG = "worker-group"
"""Tag of machines of one's own that belonged to a worker group; its value names it."""
