from airflow.sdk.observability import stats

from updraft.compat import count_metric


def test_a_counter_counts_and_never_fails(monkeypatch):
    counted = []
    monkeypatch.setattr(stats, "incr", lambda name, count: counted.append((name, count)))
    count_metric("a.b", 3)
    count_metric("a.b", 0)
    count_metric("a.b")
    assert counted == [("a.b", 3), ("a.b", 1)]
    monkeypatch.setattr(stats, "incr", lambda *_: 1 / 0)
    count_metric("a.b")
