"""Amazon Athena: queries are really executed, by DuckDB over the tables of the Glue catalog."""
