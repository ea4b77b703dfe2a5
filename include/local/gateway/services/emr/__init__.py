"""Amazon EMR: clusters with states, whose bootstrap actions and steps are really executed."""
