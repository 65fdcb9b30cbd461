# `make help` lists the verbs from the comments behind them.

PYTHON ?= python3
BIN := .venv/bin
NAME ?=

.DEFAULT_GOAL := help
.PHONY: help check lint types test slow kill deep demo dev probe dist

help: ## this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

$(BIN)/pytest: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -U pip
	$(BIN)/pip install -q -e '.[postgres]' --group dev
	@touch $@

check: lint types test ## everything but the slow tests: lint, types, tests, the shipped configuration

lint: $(BIN)/pytest ## ruff, its format, the shipped probes.yaml
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/monitor check probes.yaml

types: $(BIN)/pytest ## mypy, strict
	$(BIN)/mypy

test: $(BIN)/pytest ## the fast tests, three minutes at most
	$(BIN)/pytest

slow: $(BIN)/pytest ## the tests that take minutes: browsers, kills, whole processes
	$(BIN)/pytest -m slow

kill: $(BIN)/pytest ## the program killed 500 times, and nothing lost; 40 minutes
	MONITOR_KILL_ROUNDS=500 $(BIN)/pytest -m slow -n 0 -s tests/processes/test_kill.py

deep: $(BIN)/pytest ## every property with 24 times as many examples
	MONITOR_TEST_DEPTH=3 $(BIN)/pytest -m "property and not slow" --timeout 900

demo: $(BIN)/pytest ## a VTEX-shaped platform, the monitor watching it, a story of faults
	$(BIN)/monitor demo

dev: $(BIN)/pytest ## the same with the story ten times faster
	$(BIN)/monitor demo --fast

probe: $(BIN)/pytest ## every step of one probe: make probe NAME=checkout/simulation
	$(BIN)/monitor probe --debug $(NAME)

dist: $(BIN)/pytest ## the wheel, in dist/
	$(BIN)/pip wheel -q . --no-deps -w dist
