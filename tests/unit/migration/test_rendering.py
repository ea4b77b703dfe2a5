"""Generated files pass linters that were told nothing."""

import ast
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruff import find_ruff_bin

from updraft.migration.rendering import is_untouched
from updraft.migration.source_values import python


def _lint(source):
    command = [find_ruff_bin(), "check", "--isolated", "--select", "I,E,F", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=False)


def test_generated_files_pass_ruffs_defaults(definition):
    definition.item("Backup")["directoryPath"] += "/a-rather-long-folder" * 6 + "/日本" * 30
    definition.add(
        {"id": "Extra", "type": "HiveActivity", "hiveScript": "x", "runsOn": {"ref": "Cluster"}}
    )
    for parameter in definition.document["parameters"]:
        parameter["description"] = "パイプラインをアクティブ化した日時です。実行時に取得します。"
    conversion = definition.convert()
    assert "日本" in conversion.dag_source
    finished = _lint(conversion.dag_source)
    assert finished.returncode == 0, finished.stdout


@given(st.text(max_size=300) | st.text("{} /,'\"\\a日", min_size=50, max_size=300))
def test_a_text_is_the_same_in_the_file(text):
    assert ast.literal_eval(python(text)) == text


def test_tasks_between_the_same_ones_stand_side_by_side(definition):
    definition.add(*(_shell(name, "ExportActivity") for name in "AB"))
    definition.add(*(_shell(name, "A", "B") for name in "CD"), _shell("E", "C"))
    edges = definition.convert().dag_source.rpartition("\n\n")[2]
    assert [line.strip() for line in edges.splitlines()] == [
        "export_activity >> [a, b] >> c >> e",
        "[a, b] >> d",
    ]


def test_who_waits_for_the_last_of_a_chain_waits_for_all_of_it(definition):
    definition.add(_shell("A", "ExportActivity"), _shell("B", "A", "ExportActivity"))
    assert definition.convert().dag_source.endswith("\n\n    export_activity >> a >> b\n")


def _shell(name, *others):
    return {
        "id": name,
        "type": "ShellCommandActivity",
        "workerGroup": "w",
        "command": "ls",
        "dependsOn": [{"ref": other} for other in others],
    }


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "s3://bucket/a-folder/{{ data_interval_start.format('YYYY-MM-DD') }}.csv.gz",
            ["s3://bucket/a-folder/", "{{ data_interval_start.format('YYYY-MM-DD') }}.csv.gz"],
        ),
        (
            "{{ data_interval_start.add(hours=3).add(minutes=15).strftime('%I:%M %p') }}",
            ["{{ data_interval_start.add(hours=3).add(minutes=15)", ".strftime('%I:%M %p') }}"],
        ),
        (
            "upload --minute {{ data_interval_start.minute }} > ${OUTPUT1_STAGING_DIR}/file",
            [
                "upload --minute {{ data_interval_start.minute }} > ",
                "${OUTPUT1_STAGING_DIR}/file",
            ],
        ),
        (
            "{{ data_interval_start.subtract(weeks=1).add(days=7).format('YYYY-MM-DD') }}",
            [
                "{{ data_interval_start.subtract(weeks=1).add(days=7)",
                ".format('YYYY-MM-DD') }}",
            ],
        ),
        (
            "SELECT 1 FROM orders WHERE sold;\nSELECT 2 FROM orders WHERE sold;\n",
            ["SELECT 1 FROM orders WHERE sold;\n", "SELECT 2 FROM orders WHERE sold;\n"],
        ),
        ("SELECT 1;\nSELECT 2;\n", None),
    ],
)
def test_texts_are_broken_where_people_would(text, lines):
    assert python(text, 24) == (f"({' '.join(map(repr, lines))})" if lines else repr(text))


def test_a_text_that_fits_into_its_line_stays_whole():
    text = "x" * 70
    assert python(text, 12, 3) == repr(text)
    assert python([text], 8) == f"[{text!r}]"
    assert python(text, 12, 4) == f"({text!r})"


def test_an_edited_file_is_recognised(definition):
    source = definition.convert().dag_source
    assert is_untouched(source)
    assert not is_untouched(source.replace("retries", "tries", 1))
    assert not is_untouched(source.split("\n", 1)[1])
