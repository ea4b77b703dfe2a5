"""Programs of an EMR primary node, for the processes of steps and bootstrap actions."""
