"""Statements about settings, statistics and the like."""

from collections.abc import Callable

from include.local.gateway.services.redshift_engine.expressions import translate_expressions
from include.local.gateway.services.redshift_engine.statement import (
    QUERY,
    TRANSACTION,
    UTILITY,
    Statement,
    expressed,
    finish,
    node_at,
    read_name,
)
from include.local.gateway.services.redshift_engine.tokens import (
    WORD,
    Node,
    SqlError,
    Token,
    UnsupportedSqlError,
    is_name,
    is_word,
    name_of,
    render,
    significant,
    sql,
)

# Settings of Redshift's that change no result here.
_SETTINGS = {
    *("query_group", "wlm_query_slot_count", "enable_result_cache_for_session"),
    *(
        "analyze_threshold_percent",
        "describe_field_name_in_uppercase",
        "max_cursor_result_set_size",
    ),
    *("error_on_nondeterministic_update", "mv_enable_aqmv_for_session", "activate_aqua"),
    *("enable_vacuum_boost", "stored_proc_log_min_messages", "compupdate", "statupdate"),
}


_REFUSED_SETTINGS = {"enable_case_sensitive_identifier", "downcase_delimited_identifier"}


def vacuum(nodes: list[Node]) -> Statement:
    """Translate VACUUM, whose options change nothing here."""
    words = significant(nodes)[1:]
    while words and is_word(words[0], "full", "sort", "delete", "only", "reindex", "recluster"):
        words.pop(0)
    table = ""
    if words and is_name(words[0]) and not is_word(words[0], "to", "boost"):
        table, _ = read_name(words, 0)
    return finish(UTILITY, nodes, sql(f"VACUUM {table}"), alone=True)


def analyze(nodes: list[Node]) -> Statement:
    """Translate ANALYZE."""
    words = significant(nodes)
    if is_word(node_at(words, 1), "compression"):
        raise UnsupportedSqlError("ANALYZE COMPRESSION")
    cut = next(
        (at for at, node in enumerate(words) if at and is_word(node, "predicate", "all")),
        len(words),
    )
    end = nodes.index(words[cut]) if cut < len(words) else len(nodes)
    return finish(UTILITY, nodes, translate_expressions(nodes[:end]))


def set_parameter(nodes: list[Node]) -> Statement:
    """Translate SET and RESET."""
    words = significant(nodes)
    at = 2 if is_word(node_at(words, 1), "session", "local") else 1
    setting = node_at(words, at)
    if setting is not None and is_name(setting):
        name = name_of(setting)
        if name in _REFUSED_SETTINGS:
            raise UnsupportedSqlError(f"the setting {name}")
        if name in _SETTINGS:
            nodes = [Token(WORD, f"updraft.{name}") if node is setting else node for node in nodes]
    kind = TRANSACTION if is_word(setting, "transaction") else UTILITY
    return finish(kind, nodes, translate_expressions(nodes))


def show(nodes: list[Node]) -> Statement:
    """Translate SHOW."""
    words = significant(nodes)
    if len(words) != 2 and not is_word(node_at(words, 1), "time", "session"):  # noqa: PLR2004
        raise UnsupportedSqlError("SHOW of objects; ask the svv_ views")
    name = name_of(words[1])
    if name in _SETTINGS:
        text = f"SELECT coalesce(current_setting('updraft.{name}', true), '') AS {name}"
        return finish(QUERY, nodes, sql(text))
    return finish(QUERY, nodes, nodes)


def explain(nodes: list[Node]) -> Statement:
    """Translate EXPLAIN."""
    return finish(QUERY, nodes, expressed(nodes))


def cancel(nodes: list[Node]) -> Statement:
    """Translate CANCEL."""
    words = significant(nodes)
    number = render(words[1:2])
    if not number.isdigit():
        raise SqlError("CANCEL needs the number of a process")
    return finish(QUERY, nodes, sql(f"SELECT pg_cancel_backend({number})"))


def plain(kind: str, *, alone: bool = False) -> Callable[[list[Node]], Statement]:
    """Make the translation of statements that differ in expressions only."""
    return lambda nodes: finish(kind, nodes, expressed(nodes), alone=alone)


def raw(kind: str) -> Callable[[list[Node]], Statement]:
    """Make the translation of statements that a command of ours reads."""
    return lambda nodes: Statement(kind, nodes)
