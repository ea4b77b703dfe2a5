"""Instances of Amazon EC2 that run what they are told to, as processes of this machine."""
