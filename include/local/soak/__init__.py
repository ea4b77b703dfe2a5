"""Real task runs in a real Airflow, under fire, and a checker of what has reached the catalog.

`make soak` runs it; ``docs/lineage-soak.md`` says what it does and what it has shown.
"""
