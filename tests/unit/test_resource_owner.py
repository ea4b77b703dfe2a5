import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.resource_owner import ResourceOwner, environment_name

text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
owners = st.builds(ResourceOwner, text, text, text, text, st.integers(-1, 1000))


@given(owners)
def test_tags_are_read_back(owner: ResourceOwner) -> None:
    tags = owner.tags()
    assert ResourceOwner.from_tags({**tags, "Team": "data"}) == owner
    # https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
    assert all(re.fullmatch(r"[A-Za-z0-9 _.:/=+@-]{1,256}", value) for value in tags.values())


@given(owners, owners)
def test_tokens_tell_owners_apart(one: ResourceOwner, other: ResourceOwner) -> None:
    assert (one.token() == other.token()) == (one == other)
    assert len({one.token(), one.token("step"), one.token("step", 1)}) == 3


def test_token_is_the_same_for_ever() -> None:
    owner = ResourceOwner("mwaa", "sales", "manual__2026-11-23T04:44:00+00:00", "group.load", 3)
    assert owner.token() == "81c58c4b-8bab-5580-8cc5-3fafa579b9a5"
    assert str(owner) == (
        "task group.load[3] of run manual__2026-11-23T04:44:00+00:00 of DAG sales"
    )


def test_changed_and_cut_tags_have_no_owner() -> None:
    owner = ResourceOwner("mwaa", "sales", "run", "load")
    assert ResourceOwner.from_tags({}) is None
    assert ResourceOwner.from_tags({**owner.tags(), "updraft:dag_id": "other"}) is None
    assert ResourceOwner.from_tags({**owner.tags(), "updraft:map_index": "x"}) is None
    long = ResourceOwner("mwaa", "ü" * 250, "run", "load")
    assert len(long.tags()["updraft:dag_id"]) == 256
    assert ResourceOwner.from_tags(long.tags()) is None


def test_owner_of_a_task_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_ENV_NAME", "production")
    monkeypatch.delenv("AWS_REGION", raising=False)
    instance = SimpleNamespace(dag_id="sales", run_id="run", task_id="load", map_index=-1)
    owner = ResourceOwner.of({"ti": instance})
    assert owner == ResourceOwner("production", "sales", "run", "load")


def test_name_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_ENV_NAME", raising=False)
    monkeypatch.delenv("AIRFLOW__UPDRAFT__ENVIRONMENT", raising=False)
    assert environment_name() == "airflow"
    monkeypatch.setenv("AIRFLOW_ENV_NAME", "mwaa")
    monkeypatch.delenv("AWS_REGION", raising=False)
    assert environment_name() == "mwaa"
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert environment_name() == "mwaa.eu-west-1"
    monkeypatch.setenv("AIRFLOW__UPDRAFT__ENVIRONMENT", "blue")
    assert environment_name() == "blue"


def test_environment_without_a_name_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("AIRFLOW_ENV_NAME", raising=False)
    monkeypatch.delenv("AIRFLOW__UPDRAFT__ENVIRONMENT", raising=False)
    instance = SimpleNamespace(dag_id="sales", run_id="run", task_id="load", map_index=-1)
    assert ResourceOwner.of({"ti": instance}).environment == "airflow"
    assert "set the configuration option updraft.environment" in caplog.text
