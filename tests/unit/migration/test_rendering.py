"""Generated files pass linters that were told nothing."""

import ast
import subprocess

from hypothesis import given
from hypothesis import strategies as st
from ruff import find_ruff_bin

from updraft.migration.rendering import is_untouched, python


def _lint(source):
    command = [find_ruff_bin(), "check", "--isolated", "--select", "I,E,F", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=False)


def test_generated_files_pass_ruffs_defaults(definition):
    definition.item("Backup")["directoryPath"] += "/a-rather-long-folder" * 6 + "/日本" * 30
    definition.add(
        {"id": "Extra", "type": "HiveActivity", "hiveScript": "x", "runsOn": {"ref": "Cluster"}}
    )
    conversion = definition.convert()
    assert "日本" in conversion.dag_source
    finished = _lint(conversion.dag_source)
    assert finished.returncode == 0, finished.stdout


@given(st.text(max_size=300) | st.text("{} /,'\"\\a日", min_size=50, max_size=300))
def test_a_text_is_the_same_in_the_file(text):
    assert ast.literal_eval(python(text)) == text


def test_an_edited_file_is_recognised(definition):
    source = definition.convert().dag_source
    assert is_untouched(source)
    assert not is_untouched(source.replace("retries", "tries", 1))
    assert not is_untouched(source.split("\n", 1)[1])
