"""Amazon Redshift: provisioned clusters, their sizes and their states."""
