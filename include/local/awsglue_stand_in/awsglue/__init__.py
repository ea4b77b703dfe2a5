"""Stands in for AWS's package of the same name in jobs that the local stack runs.

AWS has ``awsglue`` on Glue only. What is here does what it says; everything else refuses with
NotImplementedError, so that no job passes by accident.

.. seealso:: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python.html
"""
