"""One address that answers for every AWS service the project uses.

A request is sorted by the credential scope of its signature, then goes to a handler of our own,
to ministack (DynamoDB) or to moto (the rest). What none of them really does is refused with an
error in the shape that the service itself would use. The package runs in the environment of the
local stack, not in Airflow's: ``python -m include.local.gateway``.
"""
