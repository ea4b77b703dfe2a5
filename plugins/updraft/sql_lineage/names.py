"""Names of what SQL reads and writes, and the session that completes short ones."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

_SYSTEM_TABLE = re.compile(r"(pg|stl|stv|svl|svv|svcs|sys)_")


class RedshiftTable(NamedTuple):
    """A table or view of Amazon Redshift.

    :param database: its database.
    :param schema: its schema.
    :param table: its own name.
    """

    database: str
    schema: str
    table: str

    def __str__(self) -> str:
        return ".".join(self)


class DynamoDBTable(NamedTuple):
    """A DynamoDB table as ``COPY`` names it.

    :param table: its name.
    """

    table: str

    def __str__(self) -> str:
        return f"dynamodb:{self.table}"


class Files(NamedTuple):
    """Files in Amazon S3 or on an EMR cluster.

    :param uri: ``s3://<bucket>/<key or prefix>`` or ``emr://<cluster>/<path>``, without slashes
        at its end.
    """

    uri: str

    def __str__(self) -> str:
        return self.uri


Dataset = RedshiftTable | DynamoDBTable | Files


@dataclass(slots=True)
class Session:
    """What completes and folds names, as ``SET`` and ``USE`` in the script may change it.

    Amazon Redshift folds quoted names to lower case as well, unless a session says otherwise:
    https://docs.aws.amazon.com/redshift/latest/dg/r_enable_case_sensitive_identifier.html

    :param database: the database that short names are of.
    :param search_path: the schemas that short names are looked up in, the first one being where
        tables are made.
    :param case_sensitive: whether quoted names keep their case.
    """

    database: str = "dev"
    search_path: tuple[str, ...] = field(default=("public",))
    case_sensitive: bool = False

    def fold(self, name: str, *, quoted: bool = False) -> str:
        """Bring a name to the case that the server compares.

        :param name: the name without its quotes.
        :param quoted: whether it stood in quotes.
        :returns: the name that equal names share.
        """
        return name if quoted and self.case_sensitive else name.lower()

    def candidates(self, parts: tuple[str, ...]) -> list[RedshiftTable]:
        """Complete the name of a table.

        :param parts: one to three folded parts.
        :returns: what it may mean, the likeliest first; only a search path of several schemas
            gives more than one.
        """
        if len(parts) == 1:
            if _SYSTEM_TABLE.match(parts[0]):
                return [RedshiftTable(self.database, "pg_catalog", parts[0])]
            return [RedshiftTable(self.database, one, parts[0]) for one in self.search_path]
        if len(parts) == 2:  # noqa: PLR2004 schema and table
            return [RedshiftTable(self.database, *parts)]
        return [RedshiftTable(*parts)]
