"""The one door to AWS: nothing else in Updraft makes a client."""
