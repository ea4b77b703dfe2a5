"""The Amazon Redshift Data API: statements that really run."""
