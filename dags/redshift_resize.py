"""
### Resize a Redshift cluster

Brings a provisioned cluster of Amazon Redshift to a size, without holding a worker
while AWS works. A cluster that has the size already is left alone.

**Steps**
1. `resize` waits until nobody changes the cluster, asks AWS which sizes it can be
   resized to, begins the resize and waits for its end.

**Parameters**
- `cluster_identifier`: name of the cluster.
- `number_of_nodes`: number of nodes; empty for that which it has.
- `node_type`: such as `ra3.xlplus`; empty for that which it has.
- `classic`: a classic resize leads to any size, but takes hours or days, in which the
  cluster can only be read. An elastic one takes minutes.
- `if_paused`: a paused cluster can't be resized. `fail`; `resume` it, and leave it
  available; or `skip`.
- `plan`: only say what would be done, with the node-hours before and after.
- `region_name`: Region of the cluster; empty for that of the connection.

```json
{"cluster_identifier": "sales", "number_of_nodes": 4, "plan": true}
```

**When it fails**: the message has AWS's reason, or the sizes that can be reached. What
somebody else does to the cluster meanwhile is waited for, as are nodes that AWS lacks
at the moment. A retry finds the resize that goes on. Ending the task takes a classic
resize back; AWS can't cancel an elastic one.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields, redshift_form_fields
from updraft.compat import DAG, Param
from updraft.operators.redshift_states import RedshiftResizeOperator

with DAG(
    dag_id="redshift_resize",
    description="Resizes a cluster of Amazon Redshift",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["updraft", "redshift"],
    default_args={
        "owner": "updraft",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "pre_execute": form_fields.refuse_unknown_fields,
    },
    params={
        "cluster_identifier": redshift_form_fields.cluster(),
        "number_of_nodes": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=128,
            title="Nodes",
            description="Their number; empty for that which it has.",
        ),
        "node_type": Param(
            None,
            type=["null", "string"],
            pattern=r"^[a-z0-9]+\.[a-z0-9]+$",
            title="Type of the nodes",
            description="Such as ra3.xlplus; empty for that which it has.",
        ),
        "classic": Param(
            False,
            type="boolean",
            title="Classic resize",
            description="To any size, in hours or days, read-only meanwhile.",
        ),
        "if_paused": Param(
            "fail",
            type="string",
            enum=["fail", "resume", "skip"],
            title="If it is paused",
            description="A paused cluster can't be resized.",
        ),
        "plan": form_fields.plan(),
        "region_name": form_fields.region("Region of the cluster"),
    },
):
    RedshiftResizeOperator(
        task_id="resize",
        cluster_identifier="{{ params.cluster_identifier }}",
        number_of_nodes="{{ params.number_of_nodes or '' }}",
        node_type="{{ params.node_type or '' }}",
        classic="{{ params.classic }}",
        if_paused="{{ params.if_paused }}",
        plan="{{ params.plan }}",
        region_name="{{ params.region_name or '' }}",
    )
