"""What runs the SQL of Redshift: PostgreSQL, a translation, and COPY and UNLOAD."""
