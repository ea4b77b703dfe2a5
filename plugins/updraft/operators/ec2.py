"""Operators for instances of Amazon EC2 that last as long as a run."""

from updraft.operators.ec2_instance import Ec2InstanceOperator
from updraft.operators.ec2_terminate_instance import Ec2TerminateInstanceOperator

__all__ = ["Ec2InstanceOperator", "Ec2TerminateInstanceOperator"]
