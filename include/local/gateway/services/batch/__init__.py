"""Jobs of AWS Batch, whose containers are processes of this machine."""
