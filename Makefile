# Every target sets up first what it needs; that takes no time, and no network, when nothing has changed.

.DEFAULT_GOAL := help
.PHONY: help setup app run test test-long check format mutants bench screenshots sheets clean

PYTHON := .venv/bin/python
CODE := lulu $(wildcard pages) lulu_app.py tests $(wildcard scripts)
ASSETS := lulu/ui/browser/assets

# More arguments for the command, for example: make test ARGS="-k store -x"
ARGS ?=

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1|\2/' | \
	  while IFS='|' read -r target text; do printf '  %-18s %s\n' "$$target" "$$text"; done

setup: ## Build .venv with everything: the app, the tools, the tests and their browser
	@bash scripts/setup.sh everything

app:
	@bash scripts/setup.sh app

run: app ## Serve Lulu on http://127.0.0.1:8501
	@.venv/bin/streamlit run lulu_app.py $(ARGS)

test: setup ## Run the tests that every change passes, in some minutes
	@LULU_TEST_TIER=short $(PYTHON) -m pytest $(ARGS)

test-long: setup ## Run what that leaves out: all orders, kills and long waits
	@LULU_TEST_TIER=long $(PYTHON) -m pytest $(ARGS)

check: setup ## Lint, formatting, types, the house's import rules, security
	@$(PYTHON) -m ruff check $(CODE)
	@$(PYTHON) -m ruff format --check $(CODE)
	@.venv/bin/oxlint --quiet $(ASSETS)
	@.venv/bin/oxfmt --check $(ASSETS)/*.js
	@$(PYTHON) -m mypy $(CODE)
	@.venv/bin/lint-imports --no-logo
	@$(PYTHON) -m bandit --quiet --recursive --configfile pyproject.toml lulu $(wildcard pages) lulu_app.py

format: setup ## Format the code and mend what ruff can mend
	@$(PYTHON) -m ruff check --fix $(CODE)
	@$(PYTHON) -m ruff format $(CODE)
	@.venv/bin/oxfmt $(ASSETS)/*.js

mutants: setup ## Change lulu/rules in small ways, and name each change that no test notices
	@$(PYTHON) -m scripts.mutants $(ARGS)

bench: setup ## Measure, and write the table in docs/performance.md
	@$(PYTHON) -m scripts.bench $(ARGS)

screenshots: setup ## Take the pictures in docs/screenshots from the demo agent
	@$(PYTHON) -m scripts.screenshots $(ARGS)

sheets: setup ## Take a picture of every recorded sample, in light, dark and on a phone
	@$(PYTHON) -m scripts.sheets $(ARGS)

clean: ## Remove .venv and every cache (no data)
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache mutants
	@find lulu pages tests scripts -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
