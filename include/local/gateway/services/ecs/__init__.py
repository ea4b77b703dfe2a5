"""Tasks of Amazon ECS, whose containers are processes of this machine."""
