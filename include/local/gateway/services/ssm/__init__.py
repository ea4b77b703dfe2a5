"""Run Command of AWS Systems Manager: scripts that really run on the local stack's instances."""
