"""A database that lasts as long as the process, for what need not fit into memory."""

import sqlite3


def temporary_database(table: str) -> sqlite3.Connection:
    """Open a database that nobody else sees and that leaves nothing behind.

    SQLite keeps it in memory while it is small, and then in a file without a name.

    :param table: the statement that creates its table.
    :returns: the connection; each statement takes effect at once.
    """
    connection = sqlite3.connect("", isolation_level=None)
    connection.execute("pragma journal_mode = off")  # what is lost with the process is no loss
    connection.execute("pragma synchronous = off")
    connection.execute(table)
    return connection
