"""What is said about files that declare what can't be."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.datazone.declaration_file import read_declaration
from updraft.errors import UpdraftError

WHOLE = """\
project: Sales
data_sources: [sales-glue]
assets:
  - asset: salesdb.orders
    name: Orders
    forms:
      - {name: OwnerForm, type: OwnerFormType, content: {owner: sales, since: 2024, on_call: true}}
    filters:
      - name: Laptops
        rows:
          all:
            - {column: category, value: Laptops}
            - any:
                - {column: price, operator: ">", value: 10.5}
                - {column: price, operator: is null}
                - {column: shop, operator: not in, values: [7, x]}
      - {name: no prices, columns: [id, category]}
data_products:
  - {name: Sales, assets: [salesdb.orders]}
subscriptions:
  - {asset: salesdb.orders, subscriber: Marketing, decision: approve, filters: [Laptops]}
"""


def refused(text):
    with pytest.raises(UpdraftError) as caught:
        read_declaration(text, "sales.yaml")
    return str(caught.value)


def test_a_whole_file():
    declared = read_declaration(WHOLE, "sales.yaml")
    (asset,) = declared.assets
    assert asset.publish
    assert asset.forms[0].content == {"owner": "sales", "since": 2024, "on_call": True}
    rows = asset.filters[0].rows
    assert rows.as_row_filter() == {
        "and": [
            {"expression": {"equalTo": {"columnName": "category", "value": "Laptops"}}},
            {
                "or": [
                    {"expression": {"greaterThan": {"columnName": "price", "value": "10.5"}}},
                    {"expression": {"isNull": {"columnName": "price"}}},
                    {"expression": {"notIn": {"columnName": "shop", "values": ["7", "x"]}}},
                ]
            },
        ]
    }
    shown = "(category = Laptops and (price > 10.5 or price is null or shop not in 7, x))"
    assert rows.text() == shown
    assert not declared.prune


def test_the_example_of_the_documentation():
    manual = Path(__file__).parents[3] / "docs" / "catalog-publish.md"
    (example,) = re.findall(r"```yaml\n(.*?)```", manual.read_text(), re.DOTALL)
    declared = read_declaration(example, "f")
    assert len(declared.assets) == 3
    recent = declared.assets[0].filters[1]
    assert recent.sensitive
    assert recent.rows.text().startswith("(ordered_on >= 2026-01-01 or (state in new, paid and")


def test_texts_stay_as_they_are_written():
    text = "project: 007\nassets:\n- {asset: no, name: 2024-01-02, description: on}\n"
    declared = read_declaration(text, "f")
    assert declared.project == "007"
    assert (declared.assets[0].asset, declared.assets[0].name) == ("no", "2024-01-02")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "sales.yaml is empty"),
        ("- a\n", "no mapping with 'project'"),
        ("project: [\n", "sales.yaml, line 2: "),
        ("project: !!python/name:os.system x\n", "sales.yaml, line 1: "),
        ("assets: []\n", "sales.yaml, line 1: 'project' is missing"),
        ("project: a\nproject: b\n", "line 2: 'project' is given twice, first in line 1"),
        ("project: a\nassets: &x\n- *x\n", "contains itself"),
        ("project: a\n\nprnue: true\n", "line 3: 'prnue' is unknown; did you mean 'prune'?"),
        (
            "project: a\nassets:\n- asset: b\n  desciption: c\n",
            "line 4: assets[0]: 'desciption' is unknown; did you mean 'description'?",
        ),
        ("project: a\nassets:\n- name: b\n", "line 3: assets[0]: 'asset' is missing"),
        ("project: true\n", "line 1: project: True is no text; put it into quotes"),
        ("project: a\nprune: 5\n", "line 2: prune: Input should be a valid boolean"),
        ("project: a\nassets:\n- {asset: b}\n- {asset: b}\n", "assets: 'b' is given twice"),
        (
            "project: a\nassets:\n- asset: b\n  filters:\n  - {name: x}\n",
            "line 5: assets[0].filters[0]: a filter has either 'columns' or 'rows'",
        ),
        (
            "project: a\nassets:\n- asset: b\n  filters:\n  - name: x\n    rows:\n"
            "      {column: c, operator: lke, value: d}\n",
            "assets[0].filters[0].rows: operator: 'lke' is unknown; did you mean 'like'?",
        ),
        (
            "project: a\nassets:\n- asset: b\n  filters:\n  - name: x\n"
            "    rows: {column: c, operator: in, value: d}\n",
            "operator 'in' takes no 'value'",
        ),
        (
            "project: a\nassets:\n- asset: b\n  filters:\n  - {name: x, rows: {all: []}}\n",
            "'all' is empty",
        ),
        (
            "project: a\nsubscriptions:\n- {asset: b, subscriber: c, decision: aprove}\n",
            "line 3: subscriptions[0].decision: Input should be 'approve', 'reject' or 'revoke'",
        ),
        (
            "project: a\nsubscriptions:\n- {subscriber: c, decision: approve}\n",
            "a subscription is to either an 'asset' or a 'data_product'",
        ),
        (
            "project: a\nsubscriptions:\n"
            "- {data_product: b, subscriber: c, decision: approve, filters: [x]}\n",
            "of a data product, such a list by asset",
        ),
    ],
)
def test_each_mistake_is_named_with_its_line(text, message):
    assert message in refused(text)


def test_all_mistakes_are_named_at_once():
    lines = refused(
        "project: a\nassets:\n- {asset: b, nam: c}\n- {asset: d, typ: e}\n"
    ).splitlines()
    assert [line.split(":")[0] for line in lines] == ["sales.yaml, line 3", "sales.yaml, line 4"]


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.sampled_from("project: assets-[]{}&*!<\n'\"|#%@ \t\x00é"), max_size=60))
def test_nothing_else_is_ever_raised(text):
    with suppress(UpdraftError):
        read_declaration(text, "f")
