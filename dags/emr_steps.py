"""
### Run steps on an EMR cluster of their own

Makes a cluster, runs a list of steps on it and ends it, whatever happens. The form is
filled in with the workflow that AWS gives as example for leaving AWS Data Pipeline:
Spark calculates pi.

**Steps**
1. `create` checks cluster and steps, makes the cluster and waits until it is ready.
   Before, its log says how many instance hours that costs at most.
2. `run_steps` adds the steps and waits for their end. If one fails, the ends of its
   logs are in the log of the task.
3. `terminate` ends the cluster, also when a step failed.

**Parameters**
- `name`: name of the cluster; a token is added to it.
- `release_label`: release of EMR, such as `emr-6.1.0`.
- `applications`: what is installed, one on a line.
- `primary_instance_type`, `core_instance_type`: types of EC2 instances.
- `core_instance_count`: number of core instances.
- `task_instance_count`: number of further instances without storage; they have the
  type of the core instances.
- `spot`: whether core and task instances are bought on the spot market. If there are
  none, the cluster is made again with instances on demand.
- `service_role`, `instance_profile`: roles of EMR and of its instances.
- `subnet_id`: subnet of the cluster; empty for the default.
- `log_uri`: prefix in S3 for the logs; empty for none.
- `idle_minutes`: when EMR itself ends the cluster if nobody uses it.
- `steps`: list of steps as the API takes them.
- `step_concurrency`: how many steps may run at the same time.
- `keep_cluster`: whether the cluster stays until it was idle for too long.
- `region_name`: region; empty for that of the connection.

```json
{"log_uri": "s3://my-bucket/emr-logs", "spot": true}
```

**When it fails**: the message names the cause and the place of the log. A retry takes
over the cluster and the steps that an earlier attempt has begun; steps that have
completed are not run again. To run everything again, trigger a new run.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import DAG, Param
from updraft.operators.emr import (
    EmrClusterOperator,
    EmrStepsOperator,
    EmrTerminateClusterOperator,
)

INSTANCE_TYPE = r"^[a-z0-9-]+\.[a-z0-9-]+$"

CLUSTER = """
{%- set p = params -%}
{%- set market = "SPOT" if p.spot else "ON_DEMAND" -%}
{
  "Name": {{ p.name | tojson }},
  "ReleaseLabel": {{ p.release_label | tojson }},
  "Applications": [
    {%- for one in p.applications %}
    {"Name": {{ one | tojson }}}{{ "" if loop.last else "," }}
    {%- endfor %}
  ],
  "Instances": {
    {%- if p.subnet_id %}
    "Ec2SubnetId": {{ p.subnet_id | tojson }},
    {%- endif %}
    "InstanceGroups": [
      {
        "Name": "Primary",
        "InstanceRole": "MASTER",
        "Market": "ON_DEMAND",
        "InstanceType": {{ p.primary_instance_type | tojson }},
        "InstanceCount": 1
      }
      {%- for role, count in [
        ("CORE", p.core_instance_count), ("TASK", p.task_instance_count)
      ] if count %},
      {
        "Name": {{ role | capitalize | tojson }},
        "InstanceRole": {{ role | tojson }},
        "Market": {{ market | tojson }},
        "InstanceType": {{ p.core_instance_type | tojson }},
        "InstanceCount": {{ count }}
      }
      {%- endfor %}
    ]
  },
  {%- if p.log_uri %}
  "LogUri": {{ p.log_uri | tojson }},
  {%- endif %}
  "AutoTerminationPolicy": {"IdleTimeout": {{ p.idle_minutes * 60 }}},
  "ServiceRole": {{ p.service_role | tojson }},
  "JobFlowRole": {{ p.instance_profile | tojson }}
}
"""

STEPS = [
    {
        "Name": "calculate_pi",
        "ActionOnFailure": "CONTINUE",
        "HadoopJarStep": {
            "Jar": "command-runner.jar",
            "Args": ["spark-example", "SparkPi", "10"],
        },
    }
]


with DAG(
    dag_id="emr_steps",
    description="Runs steps on an EMR cluster of their own",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["updraft", "emr"],
    default_args={
        "owner": "updraft",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "pre_execute": form_fields.refuse_unknown_fields,
    },
    params={
        "name": Param(
            "my-demo-cluster",
            type="string",
            minLength=1,
            maxLength=200,
            title="Name",
            description="Name of the cluster.",
        ),
        "release_label": Param(
            "emr-6.1.0",
            type="string",
            pattern=r"^emr-\d+\.\d+\.\d+$",
            title="Release",
            description="Release of EMR.",
        ),
        "applications": Param(
            ["Spark"],
            type="array",
            items={"type": "string"},
            minItems=1,
            title="Applications",
            description="What is installed, one on a line.",
        ),
        "primary_instance_type": Param(
            "m5.xlarge",
            type="string",
            pattern=INSTANCE_TYPE,
            title="Type of the primary instance",
            description="EC2 type of the one instance that runs the steps.",
        ),
        "core_instance_type": Param(
            "m5.xlarge",
            type="string",
            pattern=INSTANCE_TYPE,
            title="Type of the core instances",
            description="EC2 type of the core and task instances.",
        ),
        "core_instance_count": Param(
            2,
            type="integer",
            minimum=0,
            maximum=500,
            title="Core instances",
            description="Their number; 0 for a cluster of one instance.",
        ),
        "task_instance_count": Param(
            0,
            type="integer",
            minimum=0,
            maximum=500,
            title="Task instances",
            description="Number of further instances without storage.",
        ),
        "spot": Param(
            False,
            type="boolean",
            title="Spot instances",
            description="For core and task; on demand if there are none.",
        ),
        "service_role": Param(
            "EMR_DefaultRole",
            type="string",
            minLength=1,
            title="Service role",
            description="Role of EMR.",
        ),
        "instance_profile": Param(
            "EMR_EC2_DefaultRole",
            type="string",
            minLength=1,
            title="Instance profile",
            description="Role of the instances.",
        ),
        "subnet_id": Param(
            None,
            type=["null", "string"],
            pattern=r"^subnet-[0-9a-f]+$",
            title="Subnet",
            description="Subnet of the cluster; empty for the default.",
        ),
        "log_uri": Param(
            None,
            type=["null", "string"],
            pattern=form_fields.S3_URI,
            title="Logs",
            description="s3://bucket/prefix for the logs; empty for none.",
        ),
        "idle_minutes": Param(
            60,
            type="integer",
            minimum=1,
            maximum=10080,
            title="Idle minutes",
            description="When EMR itself ends an unused cluster.",
        ),
        "steps": Param(
            STEPS,
            type="array",
            items={"type": "object"},
            minItems=1,
            title="Steps",
            description="The steps as AddJobFlowSteps takes them.",
        ),
        "step_concurrency": Param(
            1,
            type="integer",
            minimum=1,
            maximum=256,
            title="Steps at the same time",
            description="How many steps may run at the same time.",
        ),
        "keep_cluster": Param(
            False,
            type="boolean",
            title="Keep the cluster",
            description="Leave it until it was idle for too long.",
        ),
        "region_name": form_fields.region("Region"),
    },
):
    region_name = "{{ params.region_name or '' }}"
    create = EmrClusterOperator(
        task_id="create",
        cluster=CLUSTER,
        planned_steps="{{ params.steps | tojson }}",
        planned_step_concurrency="{{ params.step_concurrency }}",
        on_demand_fallback=True,
        region_name=region_name,
    )
    run_steps = EmrStepsOperator(
        task_id="run_steps",
        cluster_id="{{ ti.xcom_pull(task_ids='create') }}",
        steps="{{ params.steps | tojson }}",
        step_concurrency="{{ params.step_concurrency }}",
        region_name=region_name,
    )
    terminate = EmrTerminateClusterOperator(
        task_id="terminate",
        cluster_id="{{ ti.xcom_pull(task_ids='create') }}",
        keep="{{ params.keep_cluster }}",
        region_name=region_name,
    ).as_teardown(setups=create)
    create >> run_steps >> terminate
