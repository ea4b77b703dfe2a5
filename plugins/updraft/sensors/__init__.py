"""Sensors by AWS service: they wait until something is there."""
