# Everything runs in a virtual environment of its own: needs Python 3.11+, pip and make, nothing else.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# Torch from the index may be a CUDA build of several GB; set TORCH to the build you want (on a GPU machine: TORCH=torch).
TORCH  ?= torch==2.13.0
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c .ci/constraints.txt
EXAMPLES := $(wildcard example_logs/csv/*.csv)
SWEEPS := lambda_sweep lambda_sweep_run4 frames_sweep pretraining_ablation

.PHONY: demo pages picture reports test logs truth lint types adapters browser cluster bench docs clean

demo: $(VENV)/.installed reports pages
	@echo
	@echo "Reports: reports/*.md, one a run, with their charts; reports/comparison.md beside them."
	@echo "Pages: .runreport-demo/run4.html and .runreport-demo/comparison.html; open them in a browser."

# Pages hold 0.9 MB of chart script each, so they are not committed.
pages: $(VENV)/.installed
	$(BIN)/runreport analyze example_logs/csv/run4.csv --format html --out .runreport-demo --quiet
	$(BIN)/runreport compare run1 run2 run3 run4 run5a run5b run5c healthy --logs example_logs/csv --format html --out .runreport-demo >/dev/null

# The README's picture: the top of a real page; needs chromium.
picture: pages
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,860 --virtual-time-budget=8000 \
		--screenshot=docs/images/report.png file://$(CURDIR)/.runreport-demo/run4.html

reports: $(VENV)/.installed
	$(BIN)/runreport analyze $(EXAMPLES) --out reports
	$(BIN)/runreport compare run1 run2 run3 run4 run5a run5b run5c healthy --logs example_logs/csv --out reports
	for sweep in $(SWEEPS); do \
		$(BIN)/runreport compare "example_logs/$$sweep/*.csv" --out reports/$$sweep || exit 1; \
	done
	$(BIN)/runreport analyze example_logs/diabetes --out reports/diabetes
	for log in example_logs/run4_improved/csv/run4_round*.csv; do \
		$(BIN)/runreport analyze $$log --out reports/run4_improved || exit 1; \
	done
	$(BIN)/runreport analyze example_logs/published --out reports/published
	$(BIN)/runreport rules --markdown > docs/rules.md

test: $(VENV)/.installed-test lint types
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

logs: $(VENV)/.installed-test
	for run in run1 run2 run3 run4 run5a run5b run5c healthy; do \
		$(BIN)/python -m training run $$run --out example_logs --checkpoint-dir runs/checkpoints --force || exit 1; \
	done
	$(BIN)/python -m training run diabetes --out example_logs/diabetes --checkpoint-dir runs/checkpoints --force
	for sweep in $(SWEEPS); do \
		$(BIN)/python -m training sweep $$sweep --out example_logs --checkpoint-dir runs/checkpoints --force || exit 1; \
	done
	$(BIN)/python -m training improve run4 --rounds 9 --until none --set threads=1 --out example_logs/run4_improved --reports reports/run4_improved --force
	rm -r example_logs/run4_improved/checkpoints

# The runs with planted faults, both splits, and whether the advice mends them; then the README's tables.
# Some 15 minutes on 2 quiet cores.
truth: $(VENV)/.installed-test
	for split in dev test; do \
		$(BIN)/python -m benchmarks.truth --split $$split || exit 1; \
		$(BIN)/python -m benchmarks.truth.efficacy --split $$split || exit 1; \
	done
	$(BIN)/python -m benchmarks.truth --readme

# The logger's adapters against the real libraries, and the fixtures written anew by theirs: too large for every run, in an
# environment of their own.
adapters:
	$(MAKE) VENV=.venv-adapters .venv-adapters/.installed-test
	grep -v '^pillow==' .ci/constraints.txt > .venv-adapters/constraints.txt
	.venv-adapters/bin/python -m pip install --quiet --disable-pip-version-check -c .venv-adapters/constraints.txt \
		"lightning>=2.6" "keras>=3.15" "transformers>=5" accelerate pandas "xgboost>=3.2" "lightgbm>=4.7" "catboost>=1.2" \
		"dvclive>=3.49" "trackio>=0.43" "mlflow-skinny>=3.17" sqlalchemy alembic
	.venv-adapters/bin/python -m pytest -rs tests/logger/test_adapters.py tests/ingest/readers/test_written_by_their_loggers.py

# Pages in headless Chromium, which must be on the PATH (Debian: apt-get install chromium); axe-core by npm.
browser: $(VENV)/.installed-test
	$(PIP) -e ".[browser]"
	npm install --silent --no-save --prefix $(VENV)/axe axe-core@4.14.1
	RUNREPORT_BROWSER=1 RUNREPORT_AXE=$(VENV)/axe/node_modules/axe-core/axe.min.js \
		$(BIN)/python -m pytest -rs tests/report/test_page_in_browser.py tests/report/test_hostile_run.py

# Daft and sweeps on a Ray cluster of several nodes, and an S3 server, all on loopback: too large for every run.
cluster:
	$(MAKE) VENV=.venv-cluster .venv-cluster/.installed-test
	.venv-cluster/bin/python -m pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e ".[cluster]" "moto[server]" boto3 s3fs
	.venv-cluster/bin/python -m pytest -rs tests/engines tests/training/test_sweep_ray.py

# Every benchmark of reading and analysing, with its peers, and the pages made of the figures: an hour on a quiet machine.
BENCH := .venv-bench/bin/python
PEERS := losslint==0.4.1 runmedic==0.1.1 trainspotter==0.2.6 trainproof==0.22.0
bench:
	$(MAKE) VENV=.venv-bench .venv-bench/.installed-test
	$(BENCH) -m pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e ".[cluster]" duckdb pandas $(PEERS)
	$(BENCH) benchmarks/startup.py --out benchmarks/results/startup.json
	$(BENCH) benchmarks/profile_analyze.py --out benchmarks/results/profile_analyze.json
	$(BENCH) benchmarks/per_epoch_metrics.py --out benchmarks/results/per_epoch_metrics.json
	$(BENCH) benchmarks/many_runs.py --peers $(BENCH) --out benchmarks/results/many_runs.json
	$(BENCH) benchmarks/bootstrap.py --out benchmarks/results/bootstrap.json
	$(BENCH) benchmarks/seed_sweep.py --out benchmarks/results/seed_sweep.json
	for curve in rows runs nodes; do \
		$(BENCH) benchmarks/scaling.py $$curve --out benchmarks/results/scaling_$$curve.json || exit 1; \
	done
	$(BENCH) benchmarks/guard.py --write
	$(BENCH) benchmarks/page.py

# The docs site, every link checked, into build/site; it loads nothing from the network when it is read.
docs: $(VENV)/.installed
	$(PIP) -e ".[docs]"
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet -f docs/site/mkdocs.yml

clean:
	rm -rf $(VENV) .venv-adapters .venv-cluster .venv-bench .runreport-demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml .ci/constraints.txt | $(VENV)/bin/python
	$(PIP) -e .
	@touch $@

$(VENV)/.installed-test: pyproject.toml .ci/constraints.txt | $(VENV)/bin/python
	$(PIP) "$(TORCH)"
	$(PIP) -e ".[train,dev]"
	@touch $@ $(VENV)/.installed
