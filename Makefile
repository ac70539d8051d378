# Two commands do everything: `make demo` and `make test`. Both install into .venv first.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: demo rehearse-pr rehearse-mr workflows test lint types contracts unit bench lock clean

demo: $(INSTALLED)
	FSGITOPS=$(CURDIR)/$(BIN)/fsgitops sh docs/demo.sh

# The same as GitLab plays it.
rehearse-mr: $(INSTALLED)
	PYTHONPATH=tests $(BIN)/python tests/rehearsal_gitlab.py build/rehearsal

rehearse-pr: $(INSTALLED)
	PYTHONPATH=tests $(BIN)/python tests/rehearsal.py build/rehearsal

test: lint types contracts workflows unit

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

unit: $(INSTALLED)
	$(BIN)/pytest -n 2

bench: $(INSTALLED)
	$(BIN)/python bench/plan.py

lock: $(INSTALLED)
	$(BIN)/pip install --quiet pip-tools
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --extra dev --extra cdr --extra api --extra spark --strip-extras \
		--generate-hashes --allow-unsafe --no-emit-index-url --no-emit-trusted-host \
		--no-emit-find-links --output-file requirements.lock pyproject.toml

$(INSTALLED): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
