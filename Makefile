# The two commands that matter: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/sh
VENV := .venv/bin

# The first of these that really is Python 3.12 or 3.11; override with PYTHON=/path/to/python.
PYTHON ?= $(shell for python in python3.12 python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 12), (3, 11)))' \
	2>/dev/null && { echo $$python; break; }; done)

# Some images of Python set it; every process would compile all modules of the project anew.
unexport PYTHONDONTWRITEBYTECODE

DEMO_FLAGS := $(if $(CI),--exit) $(if $(AIRFLOW_PORT),--airflow-port $(AIRFLOW_PORT)) \
	$(if $(AWS_PORT),--aws-port $(AWS_PORT)) $(if $(ITEMS),--items $(ITEMS))

.DEFAULT_GOAL := help
.PHONY: help setup demo down test checks lint types contracts format unit migration-table dags \
	integration golden chaos soak bench-dynamodb bench-lineage bench-parse bench-sql-lineage \
	legacy bench-waiting corpus lock package clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## Install Airflow, the tools and the local stack into .venv and .venv-local
	@if [ -z "$(PYTHON)" ]; then echo "Updraft needs Python 3.12 or 3.11 and found neither on" \
		"the PATH; install one or pass it as PYTHON=/path/to/python3.12." >&2; exit 1; fi
	@$(PYTHON) include/local/bootstrap.py --quiet

demo: setup  ## Convert a legacy pipeline, run it, follow its lineage; CI=1 ends when done
	@$(VENV)/python -m include.local.demo $(DEMO_FLAGS)

down:  ## End everything that `make demo` or `updraft local up` left running
	@if [ -x $(VENV)/updraft ]; then $(VENV)/updraft local down; else echo "Nothing is set up."; fi

test: setup checks  ## Everything that CI runs; THOROUGH=1 also what takes long
	@$(VENV)/python -m pytest -n $(or $(WORKERS),3) --dist loadfile $(if $(THOROUGH),--thorough)

checks: setup lint types contracts

lint: setup
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .

types: setup
	@$(VENV)/mypy

contracts: setup
	@$(VENV)/lint-imports --no-logo

format: setup  ## Put the code into shape
	@$(VENV)/ruff check --fix .
	@$(VENV)/ruff format .

unit: setup  ## The fast tests
	@$(VENV)/python -m pytest tests/unit -q

migration-table: setup  ## Measure what becomes of every field, for docs/migration-table.md
	@$(VENV)/python -m updraft.migration.reporting.migration_table docs/migration-table.md

dags: setup  ## The DAG integrity tests
	@$(VENV)/python -m pytest tests/dags -q

integration: setup  ## The tests against the local stack
	@$(VENV)/python -m pytest tests/integration -q

golden: setup  ## Write the golden DAGs and reports anew; look at the difference
	@$(VENV)/python -m tests.unit.migration.golden_files

chaos: setup  ## Kill copies of tables thirty times each, and all other tasks at each call of AWS
	@CHAOS_KILLS=$(or $(KILLS),30) CRASH_EVERY=$(or $(EVERY),1) \
		$(VENV)/python -m pytest tests/chaos tests/integration/test_*_faults.py --thorough -v --timeout $(or $(TIMEOUT),3600) $(if $(ONLY),-k '$(ONLY)')

soak: setup  ## 1,000 task runs under fire, then Airflow's database against the catalog; RUNS=20 is short
	@$(VENV)/python -m include.local.soak $(if $(RUNS),--runs $(RUNS)) \
		$(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED))

bench-dynamodb: setup  ## Export and import side by side with the provider, awswrangler and boto3
	@$(VENV)/python -m benchmarks.dynamodb $(if $(ITEMS),--items $(ITEMS)) \
		$(if $(SERVER),--server $(SERVER)) $(if $(LATENCY),--latency $(LATENCY)) \
		$(if $(ONLY),--only '$(ONLY)')

bench-lineage: setup  ## A log with 100,000 events: Updraft and the approach of AWS's sample
	@$(VENV)/python -m benchmarks.lineage $(if $(LINES),--lines $(LINES)) \
		$(if $(EMITS),--emits $(EMITS))

bench-parse: setup  ## 1,000 definitions converted; 1,000 DAGs parsed, beside by hand and dag-factory
	@$(VENV)/python -m benchmarks.parsing $(if $(DAGS),--dags $(DAGS)) \
		$(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY))

bench-sql-lineage: setup  ## Lineage of SQL: Updraft, openlineage-sql and sqlglot, statement by statement
	@$(VENV)/python -m benchmarks.sql_lineage $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(MARKDOWN),--markdown)

legacy: setup  ## Airflow 2.7.2 with openlineage-airflow emits, Updraft delivers (needs Python 3.11)
	@$(VENV)/python -m include.legacy_airflow

bench-waiting: setup  ## 200 Glue runs that wait at once: Updraft's operator and the provider's
	@$(VENV)/python -m benchmarks.waiting $(if $(RUNS),--runs $(RUNS)) \
		$(if $(SECONDS),--seconds $(SECONDS)) \
		$(if $(POLL_INTERVAL),--poll-interval $(POLL_INTERVAL))

corpus: setup  ## Convert every definition of a folder (CORPUS=DIR) and load every DAG in Airflow
	@$(VENV)/python -m benchmarks.corpus $(or $(CORPUS),include/definitions)

lock: setup  ## Resolve the lock files anew under MWAA's constraints
	@sed '/^--constraint/d' requirements.txt | $(VENV)/uv pip compile --quiet --universal \
		--python-version 3.11 --constraint constraints/mwaa-3.3.1.txt \
		--custom-compile-command 'make lock' - requirements-dev.in -o requirements-dev.lock
	@$(VENV)/uv pip compile --quiet --universal --python-version 3.11 \
		--custom-compile-command 'make lock' include/local/requirements.in \
		-o include/local/requirements.lock
	@sed '/^--constraint/d' requirements.txt | $(VENV)/uv pip compile --quiet --universal \
		--python-version 3.11 --constraint constraints/mwaa-3.3.1.txt \
		--custom-compile-command 'make lock' - benchmarks/parsing/requirements.in \
		-o benchmarks/parsing/requirements.lock
	@mkdir -p .local && grep -viE '^py(spark|4j)==' constraints/mwaa-3.3.1.txt > .local/spark.txt
	@$(VENV)/uv pip compile --quiet --universal --python-version 3.11 \
		--constraint .local/spark.txt --custom-compile-command 'make lock' \
		include/local/spark-requirements.in -o include/local/spark-requirements.lock
	@$(VENV)/uv pip compile --quiet --universal --python-version 3.11 \
		--custom-compile-command 'make lock' include/local/sail-requirements.in \
		-o include/local/sail-requirements.lock
	@$(VENV)/python -m include.legacy_airflow.environment

package: setup  ## Build plugins.zip for MWAA
	@$(VENV)/updraft package --output plugins.zip

clean: down  ## Remove environments, state and caches
	@rm -rf .venv .venv-legacy .venv-local .venv-sail .venv-spark .local .mypy_cache .ruff_cache .pytest_cache .hypothesis
