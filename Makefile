# Two commands do everything: `make demo` and `make test`. Both install into .venv first.
PYTHON ?= python3
BIN := .venv/bin
# What users get (and what builds it), and all that the tests need on top.
RUNS := .venv/.runs
INSTALLED := .venv/.installed
# What pytest makes of the tests is kept: else each worker compiles all of them in each run.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/pytest
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo rehearse-pr rehearse-mr rehearse-release oldest newest workflows checks test test-all sweeps lint types contracts unit bench screenshots lock clean

demo: $(RUNS)
	FSGITOPS="$(CURDIR)/$(BIN)/fsgitops" sh docs/demo.sh

# The same as GitLab plays it.
rehearse-mr: $(INSTALLED)
	PYTHONPATH=tests $(BIN)/python tests/rehearsal_gitlab.py build/rehearsal

rehearse-pr: $(INSTALLED)
	PYTHONPATH=tests $(BIN)/python tests/rehearsal.py build/rehearsal

# A release up to the upload: both files, built twice, in dist/.
rehearse-release:
	$(PYTHON) tests/rehearsal_release.py dist

# The tests with the oldest, or the newest, version of every dependency that pyproject.toml allows.
oldest: RESOLUTION := lowest-direct
newest: RESOLUTION := highest
oldest newest: build/tools/.installed
	build/tools/bin/uv pip compile --quiet --upgrade --python $(PYTHON) --resolution $(RESOLUTION) \
		--extra dev --extra cdr --extra api --extra spark --output-file build/$@.txt pyproject.toml
	build/tools/bin/uv venv --quiet --clear --seed --python $(PYTHON) build/$@
	build/tools/bin/uv pip install --quiet --python build/$@ --requirement build/$@.txt
	build/tools/bin/uv pip install --quiet --python build/$@ --no-deps --no-build-isolation --editable .
	build/$@/bin/python tests/dependency_edge.py $@
	build/$@/bin/python -m pytest -n 2

build/tools/.installed: requirements-release.lock
	$(PYTHON) -m venv --clear build/tools
	build/tools/bin/python -m pip --quiet --disable-pip-version-check install --require-hashes --requirement $<
	touch $@

# What is read and what is run, at the same time.
test: $(INSTALLED)
	@mkdir -p build
	@$(MAKE) --no-print-directory checks & $(MAKE) --no-print-directory unit; tests=$$?; \
	wait $$! && exit $$tests

checks:
	@$(MAKE) --no-print-directory lint types contracts workflows >build/checks.txt 2>&1; \
	result=$$?; cat build/checks.txt; exit $$result

# Every kill, every size, every road of the pipelines: `test` tries a few of each.
test-all: test sweeps

sweeps: $(INSTALLED)
	$(PYTEST) -n 2 --sweeps

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

contracts: $(INSTALLED)
	$(BIN)/lint-imports

# zizmor reads the workflows for what an attacker could use; check-jsonschema brings the schemas.
workflows: $(INSTALLED)
	$(BIN)/zizmor --offline --no-progress --quiet .github/workflows action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci docs/ci/gitlab.yml

# One worker more than a small machine has cores: tests that wait leave it room.
unit: $(INSTALLED)
	$(PYTEST) -n 3 --dist worksteal

# The pictures in docs/images, from the real pages with example data. Needs Chromium.
screenshots: $(INSTALLED)
	PYTHONPATH=tests $(BIN)/python tests/screenshots.py

# Against octoDNS, which it installs. Takes a quarter of an hour, and draws the plots of bench/README.md.
bench: $(INSTALLED)
	$(BIN)/python bench/scale.py --json build/scale.json --plots docs/images

COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/python -m piptools compile --quiet --strip-extras \
	--generate-hashes --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

# The small lock holds the same versions as the large one.
lock: $(INSTALLED)
	$(PIP) install pip-tools
	$(COMPILE) --extra dev --extra cdr --extra api --extra spark --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra build --constraint requirements.lock --output-file requirements-run.lock pyproject.toml
	$(COMPILE) --constraint requirements.lock --output-file requirements-release.lock requirements-release.in

$(RUNS): requirements-run.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install --require-hashes --requirement requirements-run.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q fsgitops
	touch $@

$(INSTALLED): $(RUNS) requirements.lock
	$(PIP) install --require-hashes --requirement requirements.lock
	touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
