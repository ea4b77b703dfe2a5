"""With which role Amazon Redshift reads and writes other services.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html
"""

import re

from updraft.errors import UpdraftError
from updraft.redshift.literals import literal

# https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/(?:[!-~]+/)?[\w+=,.@-]{1,64}", re.ASCII)
_CHAIN = re.compile(r"\s*,\s*(?=arn:)")
_MOST_ROLES = 10


def iam_role_clause(argument: str, role: object) -> str:
    """Write the role into a COPY or UNLOAD.

    :param argument: name of the argument, for the error message.
    :param role: ARN of a role, several with commas between them where one takes on the next, or
        ``default`` for the default role of the cluster.
    :returns: ``IAM_ROLE default`` or ``IAM_ROLE '<ARN>'``.
    :raises UpdraftError: when it is no role.
    """
    text = role.strip() if isinstance(role, str) else ""
    if text.lower() == "default":
        return "IAM_ROLE default"
    roles = _CHAIN.split(text)
    wrong = [one for one in roles if not _ROLE.fullmatch(one) or set(one) & set("'\"\\")]
    if wrong:
        raise UpdraftError(
            f"{argument}: {wrong[0]!r} is no role; give default, or an ARN such as "
            "arn:aws:iam::123456789012:role/redshift-load"
        )
    if len(roles) > _MOST_ROLES:
        raise UpdraftError(f"{argument}: {len(roles)} roles are chained, at most {_MOST_ROLES} are")
    return f"IAM_ROLE {literal(','.join(roles))}"
