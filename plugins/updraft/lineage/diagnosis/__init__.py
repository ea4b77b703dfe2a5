"""What is wrong with the way of lineage events from the task to the catalog."""
