"""How much of Redshift's SQL runs on the engines that the local stack could use."""
