"""Addresses of databases as JDBC writes them, with templates in them.

Sources: https://docs.aws.amazon.com/redshift/latest/mgmt/jdbc20-obtain-url.html and
https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-connecting.html
"""

import re
from dataclasses import dataclass

_CODE = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_MARK = re.compile(r"\x00(\d+)\x00")
_ADDRESS = re.compile(
    r"jdbc:(?P<driver>[a-z0-9+]+):(?:iam:)?//(?P<host>[^/:?;]*)(?::(?P<port>[^/?;]*))?"
    r"(?:/(?P<database>[^?;&]*))?",
    re.IGNORECASE,
)
_CLUSTER = re.compile(
    r"(?P<name>[^.]+)\.[^.]+\.(?P<region>[a-z]{2,}(?:-[a-z]+)+-\d)"
    r"\.(?P<service>redshift|redshift-serverless)\.amazonaws\.com(?:\.cn)?",
    re.IGNORECASE,
)
# What needs no parentheses before a dot.
_SIMPLE = re.compile(r"[\w.]+(?:\['\w+'\])?")


@dataclass(frozen=True, slots=True)
class WarehouseAddress:
    """Where a database of Amazon Redshift is, each part a template.

    :param name: the cluster, or the workgroup.
    :param database: the database, none when the address does not tell.
    :param region: the region, none when the address does not tell before the run.
    :param serverless: whether it is a workgroup.
    :param certain: whether it is plain before the run that this is an address of AWS.
    """

    name: str
    database: str | None
    region: str | None
    serverless: bool = False
    certain: bool = True


def driver_of(address: str) -> str | None:
    """Say for which kind of database an address is.

    :param address: the address, a template.
    :returns: what stands behind ``jdbc:``, in small letters; none when it is not known.
    """
    match = re.match(r"jdbc:([a-z0-9+]+):", address, re.IGNORECASE)
    return match[1].lower() if match else None


def warehouse_address(address: str, cluster: str | None = None) -> WarehouseAddress | None:
    """Find the cluster in an address.

    The first part of a host of AWS is the cluster's own name. A host, or a whole address, that
    only the run knows is taken apart by the template.

    :param address: the address, a template.
    :param cluster: the cluster where the host is none of AWS, such as an IP address or a name of
        the user's own; a template.
    :returns: its parts; none when its host is none of AWS, and no cluster is given.
    """
    codes: list[str] = []

    def hide(match: re.Match[str]) -> str:
        codes.append(match[1])
        return f"\0{len(codes) - 1}\0"

    def shown(text: str) -> str:
        return _MARK.sub(lambda match: f"{{{{ {codes[int(match[1])]} }}}}", text)

    text = _CODE.sub(hide, address.strip())
    whole = _MARK.fullmatch(text)
    if whole is not None:
        code = _operand(codes[int(whole[1])])
        return WarehouseAddress(
            f"{{{{ {code}.split('//')[1].split('.')[0] }}}}",
            f"{{{{ {code}.split('/')[3].split('?')[0] }}}}",
            None,
            certain=False,
        )
    match = _ADDRESS.fullmatch(text.split("?")[0].split(";")[0])
    if match is None:
        return None
    database = shown(match["database"]) if match["database"] else None
    only_code = _MARK.fullmatch(match["host"])
    if only_code is not None:
        code = _operand(codes[int(only_code[1])])
        return WarehouseAddress(f"{{{{ {code}.split('.')[0] }}}}", database, None, certain=False)
    host = _CLUSTER.fullmatch(match["host"])
    if host is None:
        return WarehouseAddress(cluster, database, None, certain=False) if cluster else None
    serverless = host["service"].lower() == "redshift-serverless"
    return WarehouseAddress(shown(host["name"]), database, host["region"].lower(), serverless)


def _operand(code: str) -> str:
    return code if _SIMPLE.fullmatch(code) else f"({code})"
