# What `make deploy` needs: each tool is had once and kept in the user's cache.
# Included by the Makefile at the top, which knows CACHE, INSTALLED and BIN.

KUSTOMIZE_VERSION := v5.6.0
HELM_VERSION := v3.17.4
PROMETHEUS_OPERATOR := v0.84.0
OPERATOR_MODULE := github.com/prometheus-operator/prometheus-operator@$(PROMETHEUS_OPERATOR)
COMPOSE_MODULE := github.com/compose-spec/compose-go/v2@v2.4.9

export KUSTOMIZE := $(CACHE)/kustomize-$(KUSTOMIZE_VERSION)/kustomize
export HELM := $(CACHE)/helm-$(HELM_VERSION)/helm
export OPERATOR_CRDS := $(CACHE)/prometheus-operator-$(PROMETHEUS_OPERATOR)
export COMPOSE_SPEC := $(CACHE)/$(subst /,-,$(COMPOSE_MODULE)).json
KUBERNETES_VALIDATE := $(BIN)/kubernetes-validate

.PHONY: deploy install-deploy install-kustomize install-helm install-operator-crds install-compose-spec \
  install-schemas chart-schema

deploy: install-deploy ## manifests, chart, compose file and Dockerfile, without a cluster
	$(PYTEST) tests/deploy --quiet

install-deploy: install-kustomize install-helm install-operator-crds install-compose-spec \
  install-schemas install-keycloak

install-kustomize: $(KUSTOMIZE) # by Go

install-helm: $(HELM)

install-operator-crds: $(OPERATOR_CRDS)/podmonitors.yaml $(OPERATOR_CRDS)/prometheusrules.yaml # out of its module

install-compose-spec: $(COMPOSE_SPEC) # the schema that docker compose has

install-schemas: $(KUBERNETES_VALIDATE) # and linters: wheels

$(KUBERNETES_VALIDATE): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --group deploy
	touch $@

$(KUSTOMIZE):
	CGO_ENABLED=0 GOBIN=$(@D) go install sigs.k8s.io/kustomize/kustomize/v5@$(KUSTOMIZE_VERSION)

$(HELM):
	CGO_ENABLED=0 GOBIN=$(@D) go install -trimpath -ldflags='-s -w' helm.sh/helm/v3/cmd/helm@$(HELM_VERSION)

$(OPERATOR_CRDS)/%.yaml:
	mkdir -p $(@D)
	go mod download $(OPERATOR_MODULE)
	cp $$(go env GOMODCACHE)/$(OPERATOR_MODULE)/example/prometheus-operator-crd/monitoring.coreos.com_$*.yaml $@
	chmod u+w $@

$(COMPOSE_SPEC):
	mkdir -p $(@D)
	go mod download $(COMPOSE_MODULE)
	cp $$(go env GOMODCACHE)/$(COMPOSE_MODULE)/schema/compose-spec.json $@
	chmod u+w $@

chart-schema: $(INSTALLED) ## the configuration's schema into the chart's values.schema.json
	$(BIN)/python deploy/helm/configuration_schema.py
