# What this repository can do. `make` alone lists the targets.
# Everything is installed below .venv; big downloads are kept in the user's cache.

PYTHON ?= python3
SOAKING := $(or $(SECONDS),60)# how long `make soak` runs
WORKERS ?= 1# of the sidecar in `make soak`, `make reloads` and `make rolling`
RELOADS ?= 10000# how many `make reloads` does
INPUTS ?= 200000# how many `make fuzz` judges
TRIES ?= 10000# of `make pooled`
ROLLS ?= 100# how often `make rolling` replaces an instance
SECONDS ?= 30# how long each recipe of `make live` runs
ROUNDS ?= 11# how often `make live` kills a process around a refresh, at each of two providers
PROCESSES ?= 2# side by side in `make test`, below a short path: Unix sockets allow no long one
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/token-sidecar
export SECONDS ROUNDS

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
INSTALLED := .venv/.installed
ENVOY := $(BIN)/envoy
PROGRAMS := .venv-programs
SITE := .venv-docs
SPHINX := $(SITE)/bin/sphinx-build -q -W --keep-going -n -c docs/site -d build/site-read

.PHONY: help install install-programs demo test lint types layers live programs fuzz pooled soak reloads rolling \
  bench bench-idle bench-memory bench-start bench-cli fleet compare docs docs-links reference dist \
  clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

install: $(INSTALLED) ## the program and all that its tests need, in .venv

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[demo]' --group dev
	touch $@

demo: $(INSTALLED) ## a provider, an API, the sidecar and an old program, all on this machine
	$(BIN)/token-sidecar demo

test: lint types install-redis ## lint, types, layers, unit, property and end-to-end tests
	short=$$(mktemp -d -t tXXXX) && trap "rm -rf $$short" EXIT && \
	$(PYTEST) tests --ignore tests/live --ignore tests/programs --ignore tests/deploy --ignore tests/kube --quiet \
	  --numprocesses $(PROCESSES) --dist worksteal --basetemp $$short

.PHONY: install-redis
install-redis: # from the system's packages
	@for name in redis-server redis-cli; do command -v $$name >/dev/null || \
	  { echo "make test needs $$name: apt-get install redis-server"; exit 1; }; done

fuzz: $(INSTALLED) ## hostile bytes from both sides, judged by h11; nothing unsafe may pass
	$(BIN)/python -m tests.fuzz $(INPUTS)

pooled: $(INSTALLED) ## 10,000 POSTs on connections that die as they are used: none twice, none lost
	TRIES=$(TRIES) $(PYTEST) tests/plane/test_pooled_connections.py --quiet --capture=no

lint: $(INSTALLED) ## ruff's rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED) ## mypy, strict
	$(BIN)/mypy

layers: $(INSTALLED) ## who may import what
	$(PYTEST) tests/test_layers.py --quiet

live: install-live install-redis ## every way to log in, at real providers, browsers and guards
	$(PYTEST) tests/live --quiet

.PHONY: live-rotation
live-rotation: $(INSTALLED) install-keycloak ## a client secret rotated every 5 s; SECONDS=120 SOURCES=all for long
	SOURCES=$(or $(SOURCES),data) $(PYTEST) tests/live/test_secret_rotation.py --quiet

$(ENVOY): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --group live
	touch $@

programs: $(INSTALLED) install-programs ## curl, Go, Node, OpenAI's client, tensors, tables, websockets, kubectl, git
	PROGRAMS=$(PROGRAMS) $(PYTEST) tests/programs --quiet

install-programs: $(PROGRAMS)/bin/go-upstream $(PROGRAMS)/bin/go-client # what it needs, apart from .venv
	@for name in curl node git kubectl; do command -v $$name >/dev/null || \
	  { echo "make programs needs curl, Node 20, git and kubectl: $$name is missing"; exit 1; }; done

$(PROGRAMS)/.installed: pyproject.toml
	$(PYTHON) -m venv $(PROGRAMS)
	$(PROGRAMS)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(PROGRAMS)/bin/python -m pip install --quiet --group programs
	touch $@

$(PROGRAMS)/bin/go-upstream: $(wildcard tests/programs/upstream/*.go) | $(PROGRAMS)/.installed
	go build -o $@ $^

$(PROGRAMS)/bin/go-client: tests/programs/clients/client.go | $(PROGRAMS)/.installed
	go build -o $@ $^

soak: $(INSTALLED) ## all kinds of faults at once, SECONDS=60 long: nothing lost, mixed up or too late
	$(BIN)/python -m bench.soak $(SOAKING) --workers $(WORKERS)

reloads: $(INSTALLED) ## 10,000 reloads under load, 200 of them broken: none of them may show
	$(BIN)/python -m bench.reloads $(RELOADS) --workers $(WORKERS)

rolling: $(INSTALLED) ## two instances replace each other under traffic, ROLLS=100 times: nothing fails
	$(BIN)/python -m bench.rolling $(ROLLS) --workers $(WORKERS)

bench-idle: $(INSTALLED) ## 9,000 idle connections beside a live one: memory, time, processor
	$(BIN)/python -m bench.idle

bench-memory: $(INSTALLED) ## 1 GiB up and 1 GiB down: how much the sidecar grows
	$(BIN)/python -m bench.memory

bench-start: $(INSTALLED) ## from exec to the first answer, and how big it is then
	$(BIN)/python -m bench.start

bench-cli: $(INSTALLED) ## what `token` costs from a cold interpreter, beside an empty program
	$(BIN)/python -m bench.cli

fleet: $(INSTALLED) install-redis ## 500 sidecars in simulated time, 24 real ones, one Redis: docs/fleet.md
	$(BIN)/python -m bench.fleet

bench: $(INSTALLED) $(ENVOY) ## CPU, latency and memory beside Envoy, nginx and HAProxy: bench/RESULTS.md
	command -v wrk nginx haproxy >/dev/null || apt-get install --yes --quiet wrk nginx-light haproxy
	$(BIN)/python -m bench.cost

docs: $(SITE)/.installed ## the pages as a site in build/site; every link is checked, none loads anything
	rm -rf build/site build/site-read
	$(SPHINX) -b html . build/site
	$(SITE)/bin/python docs/site/checks.py build/site

reference: $(INSTALLED) ## the tables of docs/configuration.md, from the schema and the example file
	$(BIN)/python -m docs.site.reference

docs-links: $(SITE)/.installed ## whether the links to other hosts still lead somewhere; asks them all
	$(SPHINX) -b linkcheck . build/links

.PHONY: install-docs
install-docs: $(SITE)/.installed

$(SITE)/.installed: pyproject.toml
	$(PYTHON) -m venv $(SITE)
	$(SITE)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(SITE)/bin/python -m pip install --quiet --group docs
	touch $@

compare: $(INSTALLED) $(ENVOY) install-oauth2-proxy ## beside Envoy, oauth2-proxy and a script: docs/comparison.md
	$(BIN)/python -m bench.compare

dist: $(INSTALLED) ## wheel and sdist, each tried in an empty environment
	rm -rf dist build/empty-wheel build/empty-sdist
	$(BIN)/python -m build --outdir dist .
	$(PYTHON) -m venv build/empty-wheel
	build/empty-wheel/bin/pip install --quiet dist/*.whl
	build/empty-wheel/bin/token-sidecar version
	build/empty-wheel/bin/python -c 'from proxy.control.status_page import shell; shell()'
	$(PYTHON) -m venv build/empty-sdist
	build/empty-sdist/bin/pip install --quiet dist/*.tar.gz
	build/empty-sdist/bin/token-sidecar version
	build/empty-sdist/bin/python -c 'from proxy.control.status_page import shell; shell()'

clean: ## all that was made here, but not the cache
	rm -rf tests/deploy/own-chart/charts tests/deploy/own-chart/Chart.lock
	rm -rf .venv .venv-programs .venv-docs build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

include tests/live/servers.mk
include tests/deploy/tools.mk
include tests/kube/kube.mk
