# A real Kubernetes for `make kube`: built once and kept in the user's cache.
# Included by the Makefile at the top, which knows CACHE, PYTHON and BIN; HELM comes with deploy/.

KUBERNETES := 1.33.13
KUBE_SOURCE := tests/kube/lab/node
# What it is built from is in its name: a fresh clone finds what another one built.
export KUBE_HOME := $(CACHE)/kube-$(KUBERNETES)-$(shell cd $(KUBE_SOURCE) && \
  cat go.mod go.sum main.go pause/main.go | sha256sum | cut -c 1-8)
KUBE_PARTS := etcd kube-apiserver kube-controller-manager kube-proxy kube-scheduler kubectl kubelet
KUBE_VERSION := k8s.io/component-base/version
KUBE_FLAGS := -s -w -X $(KUBE_VERSION).gitVersion=v$(KUBERNETES) \
  -X $(KUBE_VERSION).gitMajor=$(word 1,$(subst ., ,$(KUBERNETES))) \
  -X $(KUBE_VERSION).gitMinor=$(word 2,$(subst ., ,$(KUBERNETES)))
KUBE_BUILD := CGO_ENABLED=0 go build -buildvcs=false -trimpath
SIDE_BY_SIDE ?= 6# tests of `make kube` at once
KUBE_DEBIAN := python3,python3-pip,python3-venv,ca-certificates

.PHONY: kube install-kube install-kubernetes check-kube

kube: $(INSTALLED) install-kube install-keycloak install-redis install-operator-crds ## deploy/ in a real Kubernetes
	$(BIN)/python -m tests.kube.lab image
	$(BIN)/python -m tests.kube.lab run $(BIN)/python -m tests.kube.surroundings \
	  $(PYTEST) tests/kube --quiet --numprocesses $(SIDE_BY_SIDE) --dist worksteal

install-kube: check-kube install-kubernetes $(KUBE_HOME)/bin/helm $(KUBE_HOME)/base.tar \
  $(KUBE_HOME)/pause.tar # what it needs besides; root, Debian's packages

check-kube:
	@$(PYTHON) -m tests.kube.lab.requirements

install-kubernetes: $(KUBE_PARTS:%=$(KUBE_HOME)/bin/%) # by Go, about 10 min on 2 cores, once

# All parts in one program: built apart they would take twice as long.
$(KUBE_HOME)/bin/kubernetes:
	mkdir -p $(@D)
	cd $(KUBE_SOURCE) && $(KUBE_BUILD) -ldflags="$(KUBE_FLAGS)" -o $@.building .
	mv $@.building $@

$(KUBE_PARTS:%=$(KUBE_HOME)/bin/%): | $(KUBE_HOME)/bin/kubernetes
	ln -sf kubernetes $@

$(KUBE_HOME)/bin/helm: | $(HELM)
	mkdir -p $(@D)
	ln -sf $(HELM) $@

$(KUBE_HOME)/pause.tar:
	mkdir -p $(KUBE_HOME)/pause
	$(KUBE_BUILD) -ldflags='-s -w' -o $(KUBE_HOME)/pause/pause $(KUBE_SOURCE)/pause/main.go
	tar --create --file=$@ --directory=$(KUBE_HOME)/pause --owner=0 --group=0 pause

# What python:3.11-slim is, from the packages of the Debian that this machine runs: no registry.
$(KUBE_HOME)/base.tar:
	mkdir -p $(@D)
	. /etc/os-release && mmdebstrap --quiet --format=tar --variant=minbase --include=$(KUBE_DEBIAN) \
	  --customize-hook='rm -f "$$1"/usr/lib/python3*/EXTERNALLY-MANAGED' \
	  --customize-hook='ln -s python3 "$$1"/usr/bin/python' \
	  "$$VERSION_CODENAME" $@.building /etc/apt/sources.list.d/debian.sources
	mv $@.building $@
