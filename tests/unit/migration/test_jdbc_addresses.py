"""Addresses of databases: which cluster they name, also where only the run knows them."""

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.migration.mappers.jdbc_addresses import driver_of, warehouse_address

_HOST = "etl.abc123.eu-west-1.redshift.amazonaws.com"
_NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8})?", fullmatch=True)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (f"jdbc:redshift://{_HOST}:5439/dev", ("etl", "dev", "eu-west-1", False)),
        (f"jdbc:postgresql://{_HOST}:5439/dev?ssl=true", ("etl", "dev", "eu-west-1", False)),
        (f"jdbc:redshift:iam://{_HOST}/dev;UID=x", ("etl", "dev", "eu-west-1", False)),
        (f"jdbc:redshift://{_HOST}", ("etl", None, "eu-west-1", False)),
        (f"jdbc:redshift://{_HOST}.cn:5439/dev", ("etl", "dev", "eu-west-1", False)),
        (
            "jdbc:redshift://wg.123456789012.us-east-1.redshift-serverless.amazonaws.com:5439/dev",
            ("wg", "dev", "us-east-1", True),
        ),
        (
            "jdbc:redshift://{{ params.myName }}.abc.us-east-1.redshift.amazonaws.com:5439/"
            "{{ params.myBase }}",
            ("{{ params.myName }}", "{{ params.myBase }}", "us-east-1", False),
        ),
    ],
)
def test_addresses_of_aws(address, expected):
    found = warehouse_address(address)
    assert (found.name, found.database, found.region, found.serverless) == expected
    assert found.certain


@pytest.mark.parametrize(
    "address",
    [
        "jdbc:redshift://warehouse.example.com:5439/dev",
        "jdbc:redshift://hostname:portnumber/dbname",
        "jdbc:redshift://etl.abc.eu-west-1.redshift.amazonaws.com.example.com/dev",
        "jdbc:redshift://{{ params.myHost }}.example.com/dev",
        f"{_HOST}:5439/dev",
        "",
    ],
)
def test_no_cluster_is_guessed(address):
    assert warehouse_address(address) is None


@pytest.mark.parametrize(
    ("address", "params"),
    [
        ("{{ params.myUrl }}", lambda host: {"myUrl": f"jdbc:redshift://{host}:5439/dev?a=b"}),
        ("jdbc:redshift://{{ params.myHost }}:{{ params.myPort }}/dev", lambda h: {"myHost": h}),
        ("jdbc:redshift://{{ params.myHost or '' }}/dev", lambda host: {"myHost": host}),
        ("jdbc:redshift://{{ params['host'] }}/dev", lambda host: {"host": host}),
    ],
)
@given(name=_NAMES)
def test_what_the_run_knows_is_taken_apart_by_the_template(address, params, name):
    found = warehouse_address(address)
    values = params(f"{name}.abc.us-east-1.redshift.amazonaws.com")

    def rendered(text):
        return jinja2.Template(text).render(params=values)

    assert (rendered(found.name), rendered(found.database)) == (name, "dev")
    assert not found.certain


@pytest.mark.parametrize(
    ("address", "driver"),
    [
        ("jdbc:mysql://h/d", "mysql"),
        ("JDBC:PostgreSQL://h/d", "postgresql"),
        ("jdbc:sqlserver://h;databaseName=d", "sqlserver"),
        ("jdbc:{{ params.x }}", None),
        ("{{ params.x }}", None),
    ],
)
def test_drivers(address, driver):
    assert driver_of(address) == driver
