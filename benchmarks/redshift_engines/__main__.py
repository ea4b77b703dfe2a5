"""Run typical statements of Redshift on three engines and count what each executes.

DuckDB and PostgreSQL get what sqlglot makes of a statement; the third is the local stack's own
translation on PostgreSQL. What is counted is that a statement runs, not that its result is right;
``tests/integration/test_local_redshift_sql.py`` is about that. Each engine begins with the same
tables, made in its own words. Run it with the interpreter of the local stack:
``.venv-local/bin/python -m benchmarks.redshift_engines``.
"""

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import psycopg
import sqlglot

from include.local.gateway.services.redshift_engine.execution import Connection, message_of
from include.local.gateway.services.redshift_engine.tokens import SqlError
from include.local.gateway.services.redshift_engine.warehouses import Warehouses

_STATEMENTS = Path(__file__).parent / "statements.sql"
_TABLES = """
CREATE TABLE {0}sales (salesid INTEGER NOT NULL, listid INTEGER, sellerid INTEGER,
  qtysold SMALLINT, pricepaid DECIMAL(8,2), saletime TIMESTAMP);
INSERT INTO {0}sales VALUES (1,1,10,2,100.00,'2024-01-05 10:00:00'),
  (2,1,11,3,50.50,'2024-02-05 11:00:00'),(3,2,10,1,20.00,'2024-02-06 12:00:00');
CREATE TABLE {0}users (userid INT, username VARCHAR(8), city VARCHAR(30), likesports BOOLEAN);
INSERT INTO {0}users VALUES (10,'ann','Oslo',true),(11,'bob',NULL,false)
"""


def _run(name: str, execute: Callable[[str], object]) -> None:
    for text in _TABLES.format("").split(";"):
        execute(text)
    statements = _STATEMENTS.read_text().splitlines()
    failures = []
    for text in statements:
        try:
            execute(text)
        except SqlError as error:
            failures.append((text, error.message))
        except (psycopg.Error, duckdb.Error, sqlglot.errors.SqlglotError) as error:
            words = message_of(error) if isinstance(error, psycopg.Error) else str(error)
            failures.append((text, words.splitlines()[0]))
        except (NotImplementedError, ValueError) as error:
            failures.append((text, str(error)))
    done = len(statements) - len(failures)
    print(f"{name}: {done} of {len(statements)} ({done / len(statements):.0%})")
    for text, message in failures:
        print(f"    {text[:70]:70}  {message[:90]}")


def _through_duckdb(connection: duckdb.DuckDBPyConnection) -> Callable[[str], object]:
    def execute(text: str) -> object:
        [translated] = sqlglot.transpile(text, read="redshift", write="duckdb")
        return connection.execute(translated)

    return execute


def _through_sqlglot(connection: psycopg.Connection) -> Callable[[str], object]:
    def execute(text: str) -> object:
        [translated] = sqlglot.transpile(text, read="redshift", write="postgres")
        return connection.execute(translated.encode())

    return execute


def main() -> None:
    """Run and count."""
    logging.disable(logging.CRITICAL)
    duck = duckdb.connect()
    duck.execute("CREATE SCHEMA public; USE public")
    _run("DuckDB by sqlglot", _through_duckdb(duck))
    with tempfile.TemporaryDirectory() as directory:
        warehouses = Warehouses(Path(directory))
        try:
            plain = warehouses.open("plain", "awsuser", "dev")
            _run("PostgreSQL by sqlglot", _through_sqlglot(plain.connect("dev", "awsuser")))
            own = warehouses.open("own", "awsuser", "dev")
            connection = Connection(own.connect("dev", "awsuser"), {})
            _run("PostgreSQL by the local stack", connection.execute)
        finally:
            warehouses.close()


if __name__ == "__main__":
    main()
