"""Amazon EMR Serverless: applications with states, and job runs that are really executed."""
