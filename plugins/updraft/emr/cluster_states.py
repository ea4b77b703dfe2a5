"""The states of a cluster.

.. seealso:: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-overview.html
"""

STARTING = ("STARTING", "BOOTSTRAPPING")
READY = ("RUNNING", "WAITING")
LIVE = (*STARTING, *READY)
"""States of a cluster that has not ended and is not ending."""

ENDING = "TERMINATING"
FAILED = "TERMINATED_WITH_ERRORS"
ENDED = ("TERMINATED", FAILED)
