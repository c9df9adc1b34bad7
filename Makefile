# Everything is built from source with Go: no container engine, no registry and
# no download of binaries. "make help" lists the targets.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# The targets share one cluster and two cores.
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# The operator's image. With KUBECONFIG set, that cluster has to be able to pull it.
IMG ?= ghcr.io/jobflow-operator/jobflow-operator:v0.2.0
# The version that the operator says it is.
VERSION ?= v0.2.0
# The images of the scorecard: our tests, those of operator-sdk, and what unpacks the
# bundle for both. The first two are named in config/scorecard.
SCORECARD_IMG      := ghcr.io/jobflow-operator/jobflow-operator-scorecard:$(VERSION)
SCORECARD_TEST_IMG := quay.io/operator-framework/scorecard-test:v1.33.0
UNTAR_IMG          := quay.io/operator-framework/scorecard-untar:v1.33.0
# The name of devcluster's cluster, and flags of "devcluster up", for example CLUSTER_FLAGS="--nodes 5" or --simulated.
CLUSTER ?= dev
CLUSTER_FLAGS ?=
# What of config/components to install with the operator, for example COMPONENTS=high-availability.
COMPONENTS ?=
# go test flags for the unit tests, for example TEST_FLAGS="-run TestPlan -v".
TEST_FLAGS ?=
# Where everything that is built here goes.
BIN := $(CURDIR)/bin

DEVCLUSTER     := $(BIN)/devcluster
MANAGER        := $(BIN)/manager
IMAGE_TAR      := $(BIN)/image.tar
CONTROLLER_GEN := $(BIN)/controller-gen
KUSTOMIZE      := $(BIN)/kustomize
GOLANGCI_LINT  := $(BIN)/golangci-lint
CRDTRIM        := $(BIN)/crdtrim
APIDOCS        := $(BIN)/apidocs
OPERATOR_SDK   := $(BIN)/operator-sdk
CYCLONEDX      := $(BIN)/cyclonedx-gomod
GOVULNCHECK    := $(BIN)/govulncheck
BUNDLEFINISH   := $(BIN)/bundlefinish
HELM           := $(BIN)/helm
OPM            := $(BIN)/opm
RENDERCATALOG  := $(BIN)/rendercatalog
# What runs in the images of OLM: the programs of its own image, and of opm's.
OLM_PROGRAMS   := $(BIN)/olm-operator $(BIN)/olm-catalog $(BIN)/cpb $(BIN)/grpc-health-probe
PROMTOOL       := $(BIN)/promtool
CHARTDOCS      := $(BIN)/chartdocs
# The Helm chart.
CHART := charts/jobflow-operator

# The race detector needs a C compiler.
RACE := $(if $(and $(shell command -v gcc),$(filter-out 0,$(shell go env CGO_ENABLED))),-race)

# Every module with code of ours.
MODULES := . hack/devcluster hack/olm hack/tools $(patsubst %/go.mod,%,$(wildcard test/*/go.mod))

# A KUBECONFIG from outside is the cluster to use; otherwise devcluster's is.
ifeq ($(strip $(KUBECONFIG)),)
OWN_CLUSTER := yes
use_cluster = export KUBECONFIG="$$($(DEVCLUSTER) kubeconfig --name $(CLUSTER))"
else
use_cluster = export KUBECONFIG="$(KUBECONFIG)"
endif
# Whether the nodes of devcluster's cluster only pretend to run containers.
simulated = $(if $(OWN_CLUSTER),$(DEVCLUSTER) status --name $(CLUSTER) 2>/dev/null | grep -q '^mode *simulated',false)
# kubectl of the cluster's own version.
use_kubectl = export PATH="$$($(DEVCLUSTER) bin-dir):$$PATH"

say = @printf '\n==> %s\n' "$(1)"

##@ General

.PHONY: help
help: ## Show this list.
	@awk 'BEGIN { FS = ":.*## "; print "Usage: make TARGET" } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nVariables: IMG, CLUSTER_FLAGS, TEST_FLAGS, KUBECONFIG (demo, test-e2e, deploy and the like use that cluster)\n'

.PHONY: demo
demo: cluster-up build ## Start a cluster, install the operator, and watch a JobFlow and a DaemonJob run.
	@if $(simulated); then $(MAKE) install; else $(MAKE) image-load deploy; fi
	$(call say,Building the demo: a minute or two the first time)
	@go build -o $(BIN)/demo ./hack/demo
	$(call say,Running the demo)
	@$(use_cluster); $(use_kubectl); \
	  manager=; if $(simulated); then manager=$(MANAGER); fi; \
	  $(BIN)/demo --manager "$$manager"
ifdef OWN_CLUSTER
	@printf '\nThe cluster stays. To use it:\n'
	@printf '  export KUBECONFIG=%s\n' "$$($(DEVCLUSTER) kubeconfig --name $(CLUSTER))"
	@printf '  export PATH=%s:$$PATH\n' "$$($(DEVCLUSTER) bin-dir)"
	@printf '  kubectl describe jobflow jobflow-example\n'
	@if $(simulated); then printf '  make run                     # the operator as a process, as long as it is left running\n'; fi
	@printf 'To take it down:\n  make cluster-down$(if $(filter-out dev,$(CLUSTER)), CLUSTER=$(CLUSTER))\n'
else
	@printf '\nThe operator stays in the cluster of KUBECONFIG. To remove it, and every JobFlow with it:\n  make undeploy\n'
endif

##@ Test

# The bundle lies outside the module that tests it, so that Go would not notice a
# change of it: -count=1.
.PHONY: test
test: $(DEVCLUSTER) $(HELM) $(KUSTOMIZE) ## Unit tests, and the controllers and webhooks against a real API server and etcd.
	$(call say,Building kube-apiserver and etcd where they are not cached)
	@assets="$$($(DEVCLUSTER) assets)"; \
	  printf '\n==> Testing the operator %s\n' "$(RACE)"; \
	  KUBEBUILDER_ASSETS="$$assets" go test $(RACE) -timeout 30m $(TEST_FLAGS) ./...
	$(call say,Testing hack/devcluster)
	@go -C hack/devcluster test -timeout 10m ./...
	$(call say,Testing hack/tools)
	@go -C hack/tools test -timeout 10m ./...
	$(call say,Testing the bundle)
	@go -C test test -count=1 -timeout 10m ./bundle/...
	$(call say,Testing the tests of the scorecard)
	@go -C test test -count=1 -timeout 10m ./scorecard/...
	$(call say,Testing the harness of the faults)
	@assets="$$($(DEVCLUSTER) assets)"; \
	  KUBEBUILDER_ASSETS="$$assets" go -C test test -timeout 10m ./faults/soak ./faults/fuzz ./faults/summary ./faults/internal/...
	@go -C test test -timeout 10m -run Invariants ./faults/cluster
	$(call say,Testing what is installed and what it may do)
	@assets="$$($(DEVCLUSTER) assets)"; KUBEBUILDER_ASSETS="$$assets" go -C test test -count=1 -timeout 10m ./security/...
	$(call say,Testing the Helm chart and dist/install.yaml)
	@assets="$$($(DEVCLUSTER) assets)"; KUBEBUILDER_ASSETS="$$assets" go -C test test -count=1 -timeout 10m ./helm/chart/...

.PHONY: test-scorecard
test-scorecard: cluster-up image-load deploy scorecard-load $(OPERATOR_SDK) $(KUSTOMIZE) ## The bundle under "operator-sdk scorecard", in the cluster with the operator.
	$(call say,Running the scorecard)
	@$(use_cluster); $(use_kubectl); \
	  $(KUSTOMIZE) build config/scorecard/runner | kubectl apply -f -; \
	  go -C test run ./scorecard/runner --operator-sdk $(OPERATOR_SDK) $(if $(OWN_CLUSTER),--untar-image $(UNTAR_IMG)) $(CURDIR)/bundle

.PHONY: test-observability
test-observability: $(DEVCLUSTER) $(PROMTOOL) ## Alerts by promtool; every metric that they and the dashboard name, at a running operator.
	$(call say,Testing alerts, runbooks and dashboard)
	@assets="$$($(DEVCLUSTER) assets)"; \
	  PROMTOOL=$(PROMTOOL) KUBEBUILDER_ASSETS="$$assets" go -C test test -count=1 -timeout 10m ./observability/...

.PHONY: test-e2e
test-e2e: cluster-up image-load deploy ## The samples and more on real nodes.
	$(call say,Running the end-to-end tests)
	@$(use_cluster); $(use_kubectl); \
	  go -C test test -v -count=1 -timeout 40m ./e2e/...

# A cluster of its own, whose API server counts the operator's requests. BENCH_FLAGS, for example
# BENCH_FLAGS="--only a,b --runs 1"; the page and the plots are written by a run of everything.
BENCH_CLUSTER := bench
BENCH_FLAGS   ?= --out $(CURDIR)/docs

.PHONY: bench
bench: build $(DEVCLUSTER) $(KUSTOMIZE) ## Speed beside the floor, on simulated nodes; writes docs/benchmarks.md.
	$(call say,Starting the cluster of the benchmark)
	@$(DEVCLUSTER) up --name $(BENCH_CLUSTER) --simulated --audit-policy test/benchmarks/audit-policy.yaml
	$(call say,Measuring: about 45 minutes)
	@trap '$(DEVCLUSTER) down --name $(BENCH_CLUSTER)' EXIT; \
	  export KUBECONFIG="$$($(DEVCLUSTER) kubeconfig --name $(BENCH_CLUSTER))"; $(use_kubectl); \
	  $(KUSTOMIZE) build config/crd | kubectl apply --server-side -f - >/dev/null; \
	  kubectl apply -f config/rbac/role.yaml >/dev/null; \
	  logs="$$($(DEVCLUSTER) status --name $(BENCH_CLUSTER) | sed -n 's/^logs *//p')"; \
	  versions="operator $(VERSION) at $$(git describe --always --dirty 2>/dev/null || echo unknown), $$($(DEVCLUSTER) status --name $(BENCH_CLUSTER) | sed -n 's/^kubernetes */Kubernetes /p'), $$($(DEVCLUSTER) status --name $(BENCH_CLUSTER) | sed -n 's/^etcd *v/etcd v/p'), $$(go env GOVERSION)"; \
	  go -C test run ./benchmarks/ --kubeconfig "$$KUBECONFIG" --manager $(MANAGER) --audit-log "$$logs/audit.log" \
	    --work $(BIN)/bench --versions "$$versions" $(BENCH_FLAGS)

# Time is for people to look at; that nothing is quadratic, make test counts.
.PHONY: bench-core
bench-core: ## The decisions at 10, 100 and 1,000 steps and nodes: time and allocations for each.
	$(call say,Measuring the pure core)
	@go test -run '^$$' -bench '^BenchmarkCore$$' ./internal/scale | go run ./hack/benchcore

# What test-faults runs is a list of parts, each a target of its own that reports into
# one directory. FAULTS=short is a sample of each.
FAULTS ?= full
FAULTS_REPORT := $(BIN)/faults
FAULTS_PARTS  :=

.PHONY: test-faults
test-faults: $(DEVCLUSTER) ## Crashes, stale caches, lost watches and worse: what must hold, holds. FAULTS=short: a sample of each.
	@rm -rf $(FAULTS_REPORT); mkdir -p $(FAULTS_REPORT)
	@failed=0; for part in $(FAULTS_PARTS); do $(MAKE) $$part || failed=1; done; \
	  printf '\n==> What the faults came to\n'; \
	  go -C test run ./faults/summary $(FAULTS_REPORT) $(FAULTS_PARTS:faults-%=%) || failed=1; exit $$failed

# go test flags for one of the parts below that are Go tests, for example
# FAULTS_FLAGS='-only "^diamond/" -seed 7'.
FAULTS_FLAGS ?=
run_faults = mkdir -p $(FAULTS_REPORT); assets="$$($(DEVCLUSTER) assets)"; \
  KUBEBUILDER_ASSETS="$$assets" FAULTS=$(FAULTS) FAULTS_REPORT=$(FAULTS_REPORT) \
  go -C test test $(RACE) -count=1 -timeout 90m -v $(1) $(FAULTS_FLAGS)

FAULTS_PARTS += faults-crash
.PHONY: faults-crash
faults-crash: $(DEVCLUSTER) ## Kill the operator before and after each of its writes.
	$(call say,Killing the operator at each of its writes)
	@$(call run_faults,./faults/crash)

FAULTS_PARTS += faults-api
.PHONY: faults-api
faults-api: $(DEVCLUSTER) ## Refusals, lost answers, watches that lag and break, clocks that jump.
	$(call say,Putting faults between the operator and the API server)
	@$(call run_faults,./faults/api)

FAULTS_PARTS += faults-fuzz
# How long each fuzz test is fuzzed.
FUZZTIME ?= $(if $(filter short,$(FAULTS)),5s,60s)
.PHONY: faults-fuzz
faults-fuzz: ## Fuzz admission, names, merges and more, each for FUZZTIME.
	$(call say,Fuzzing each test for $(FUZZTIME))
	@mkdir -p $(FAULTS_REPORT)
	@FAULTS_REPORT=$(FAULTS_REPORT) go -C test run ./faults/fuzz -module $(CURDIR) -time $(FUZZTIME) ./api/... ./internal/...

FAULTS_PARTS += faults-misuse
.PHONY: faults-misuse
faults-misuse: $(DEVCLUSTER) ## Give every property of the CRDs right and wrong values: none is ignored, nothing breaks.
	$(call say,Misusing every property)
	@$(call run_faults,./faults/misuse)

# How long to soak; flags of test/faults/soak. The long one rests long enough at its end
# to see what leaks of each flow.
SOAK_FLAGS ?= $(if $(filter short,$(FAULTS)),--flows 500 --duration 1m,--flows 20000 --duration 2h --rest 13m)

FAULTS_PARTS += faults-soak
.PHONY: faults-soak
faults-soak: build $(DEVCLUSTER) ## Soak: 20,000 JobFlows in two hours, with flat memory. FAULTS=short: 500 in a minute.
	$(call say,Soaking the operator: $(SOAK_FLAGS))
	@mkdir -p $(FAULTS_REPORT); assets="$$($(DEVCLUSTER) assets)"; export FAULTS_REPORT=$(FAULTS_REPORT); \
	  KUBEBUILDER_ASSETS="$$assets" go -C test run ./faults/soak --operator $(MANAGER) \
	  --crds $(CURDIR)/config/crd/bases --out $(BIN) $(SOAK_FLAGS)

# Its processes are killed, so that no cluster but our own will do.
FAULTS_PARTS += faults-cluster
.PHONY: faults-cluster
ifdef OWN_CLUSTER
faults-cluster: cluster-up ## Faults of API server, etcd, nodes and the operator's pods, on real nodes.
	@if $(simulated); then \
	  echo 'These faults need nodes that run containers, and those of the cluster $(CLUSTER) are simulated. Real ones need Linux, root and apt: make cluster-down, then this again.' >&2; exit 1; \
	fi
	@$(MAKE) image-load deploy COMPONENTS=high-availability
	$(call say,Testing faults of the cluster)
	@$(use_cluster); $(use_kubectl); \
	  CLUSTER=$(CLUSTER) DEVCLUSTER=$(DEVCLUSTER) FAULTS_REPORT=$(FAULTS_REPORT) \
	  go -C test test -v -count=1 -timeout 90m ./faults/cluster $(if $(filter short,$(FAULTS)),-ginkgo.label-filter=short) $(FAULTS_FLAGS)
else
faults-cluster:
	@echo 'KUBECONFIG is set. These faults need a cluster of devcluster, whose processes they kill: unset KUBECONFIG' >&2; exit 1
endif

# The tests install the operator themselves, in a cluster that does not have it. In
# our own cluster what test-e2e has left is in the way; in another it may be of use.
.PHONY: test-helm
test-helm: cluster-up image-load $(HELM) $(KUSTOMIZE) ## Install, upgrade and remove the operator with Helm and with kubectl apply -f.
ifdef OWN_CLUSTER
	@$(MAKE) undeploy
endif
	$(call say,Testing the chart and dist/install.yaml in the cluster)
	@$(use_cluster); $(use_kubectl); \
	  IMG="$(IMG)" go -C test test -v -count=1 -timeout 20m ./helm/install/...

.PHONY: test-olm
test-olm: olm-install ## Install, upgrade and remove the operator with OLM, from the catalog, on real nodes.
	@$(MAKE) undeploy
	$(call say,Running the tests under OLM)
	@$(use_cluster); $(use_kubectl); set -a; source $(BIN)/olm/references; \
	  go -C test test -v -count=1 -timeout 20m ./olm/...

##@ Develop

.PHONY: generate
generate: $(CONTROLLER_GEN) $(APIDOCS) ## Generate deep copies and docs/api-reference.md from the Go types.
	$(call say,Generating code and the API reference)
	@$(CONTROLLER_GEN) object paths=./api/...
	@$(APIDOCS) api/v1alpha1 > docs/api-reference.md

.PHONY: manifests
manifests: $(CONTROLLER_GEN) $(CRDTRIM) ## Generate the CRDs, the role and the webhook configuration.
	$(call say,Generating manifests)
	@$(CONTROLLER_GEN) crd:generateEmbeddedObjectMeta=true paths=./api/... output:crd:artifacts:config=config/crd/bases
	@$(CRDTRIM) config/crd/bases/*.yaml
	@$(CONTROLLER_GEN) rbac:roleName=manager-role webhook paths=./controllers/... paths=./webhooks/... \
	  output:rbac:dir=config/rbac output:webhook:dir=config/webhook

.PHONY: chart
chart: $(CHARTDOCS) ## Generate what the Helm chart has from config/, and the table of its values.
	$(call say,Generating parts of the chart)
	@rm -rf $(CHART)/files; mkdir -p $(CHART)/files/crds
	@cp config/crd/bases/*.yaml $(CHART)/files/crds
	@cp config/rbac/role.yaml $(CHART)/files/role.yaml
	@cp config/webhook/manifests.yaml $(CHART)/files/webhooks.yaml
	@cp config/components/monitoring/{prometheus_rule.yaml,dashboard.json} $(CHART)/files
	@$(CHARTDOCS) $(CHART)

.PHONY: dist
dist: $(KUSTOMIZE) ## Generate dist/install.yaml, for kubectl apply -f, from config/default.
	$(call say,Generating dist/install.yaml)
	@mkdir -p dist
	@{ printf '# The operator with everything that it needs: kubectl apply -f install.yaml\n# Made by "make dist" from config/default.\n'; \
	  $(KUSTOMIZE) build config/default; } > dist/install.yaml

# A pipe, since operator-sdk takes a file for no input at all.
.PHONY: bundle
bundle: $(KUSTOMIZE) $(OPERATOR_SDK) $(BUNDLEFINISH) ## Generate the bundle for OLM, bundle/ and bundle.Dockerfile, from config/.
	$(call say,Generating the bundle)
	@rm -rf bundle/manifests bundle/metadata bundle/tests
	@$(KUSTOMIZE) build --load-restrictor LoadRestrictionsNone config/manifests > $(BIN)/bundle-input.yaml
	@cat $(BIN)/bundle-input.yaml | $(OPERATOR_SDK) generate bundle --quiet --overwrite \
	  --version $(VERSION:v%=%) --channels candidate,stable --default-channel stable
	@$(BUNDLEFINISH) -input $(BIN)/bundle-input.yaml -icon config/manifests/icon.svg bundle/manifests

# operator-sdk succeeds in spite of warnings.
.PHONY: bundle-validate
bundle-validate: $(OPERATOR_SDK) ## Check bundle/ as OperatorHub does; a warning is an error.
	$(call say,Validating the bundle)
	@for validators in suite=operatorframework name=good-practices; do \
	  printf '%s: ' "$$validators"; \
	  $(OPERATOR_SDK) bundle validate ./bundle --select-optional "$$validators" 2>&1 | tee $(BIN)/bundle-validate.log; \
	  if grep -Eq 'level=(warning|error)' $(BIN)/bundle-validate.log; then exit 1; fi; \
	done

# opm renders templates from images that it pulls. rendercatalog reads the directories
# that the images are made of: see docs/design/catalog.md.
CATALOG_BUNDLES = $(foreach version,$(notdir $(wildcard catalog/released/*)) $(VERSION),--bundle \
  ghcr.io/jobflow-operator/jobflow-operator-bundle:$(version)=$(if $(filter $(VERSION),$(version)),bundle,catalog/released/$(version)))

.PHONY: catalog
catalog: $(RENDERCATALOG) $(OPM) ## Render the catalog for OLM, catalog/configs, from catalog/semver.yaml and the bundles.
	$(call say,Rendering the catalog)
	@mkdir -p catalog/configs/jobflow-operator
	@$(RENDERCATALOG) $(CATALOG_BUNDLES) catalog/semver.yaml > $(BIN)/catalog.yaml
	@mv $(BIN)/catalog.yaml catalog/configs/jobflow-operator/catalog.yaml
	@$(OPM) validate catalog/configs

.PHONY: catalog-verify
catalog-verify: ## Check that the released bundles are as they were released.
	$(call say,Comparing the released bundles with their commits)
	@hack/olm/verify-released.sh

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the Go code.
	$(call say,Formatting)
	@for module in $(MODULES); do (cd $$module && $(GOLANGCI_LINT) fmt --config $(CURDIR)/.golangci.yml ./...); done

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Lint every module, the boundaries between the packages too.
	@failed=0; for module in $(MODULES); do \
	  printf '\n==> Linting %s\n' "$$module"; \
	  (cd $$module && $(GOLANGCI_LINT) run --config $(CURDIR)/.golangci.yml ./...) || failed=1; \
	done; exit $$failed

# What generation and formatting would change is found by comparing the tree
# before and after, so that it also works with work in progress. In a clean
# checkout that is the difference to the commit.
tree_state = git ls-files -co --exclude-standard -z | sort -z | xargs -0 sha256sum 2>/dev/null || true

.PHONY: verify
verify: $(CONTROLLER_GEN) $(CRDTRIM) $(APIDOCS) $(GOLANGCI_LINT) $(KUSTOMIZE) $(OPERATOR_SDK) $(BUNDLEFINISH) $(RENDERCATALOG) $(OPM) $(CHARTDOCS) ## Generate, format and lint; fail if that changes a file.
	@mkdir -p $(BIN); { $(tree_state); } > $(BIN)/tree.before
	@$(MAKE) generate manifests bundle catalog chart dist fmt
	@{ $(tree_state); } > $(BIN)/tree.after; \
	  if ! diff $(BIN)/tree.before $(BIN)/tree.after > $(BIN)/tree.diff; then \
	    echo "These files were not as generated and formatted; they are now. Look at git diff and commit them:"; \
	    sed -n 's/^> [0-9a-f]*  /  /p' $(BIN)/tree.diff; \
	    exit 1; \
	  fi
	@$(MAKE) lint bundle-validate catalog-verify
	$(call say,Verified: what is generated and formatted is up to date and all checks are content)

# hack/vulncheck.sh has an exit code of its own for a check that could not be made.
.PHONY: vulncheck
vulncheck: $(GOVULNCHECK) ## Look for known vulnerabilities in what the operator calls; fails where their database cannot be read.
	$(call say,Looking for known vulnerabilities)
	@GOVULNCHECK=$(GOVULNCHECK) hack/vulncheck.sh

.PHONY: clean
clean: ## Remove what was built here. The cluster and its cache stay.
	@rm -rf $(BIN)

##@ Build

# Go decides what is to be rebuilt. The same source gives the same program wherever it
# lies: -trimpath and -buildvcs=false keep the directory and the state of git out.
.PHONY: build
build: ## Build the operator, bin/manager, as a static program.
	$(call say,Building the operator: two or three minutes the first time)
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)' -o $(MANAGER) .

.PHONY: image
image: build $(DEVCLUSTER) ## Make the operator's image, bin/image.tar, without a container engine.
	$(call say,Making the image $(IMG))
	@$(DEVCLUSTER) image --binary $(MANAGER) --name "$(IMG)" --out $(IMAGE_TAR)

# The words of the code are found in its sources, for jobflow-words-documented.
.PHONY: scorecard-image
scorecard-image: $(DEVCLUSTER) ## Make the image of the scorecard's tests, bin/scorecard/scorecard.tar.
	$(call say,Making the image $(SCORECARD_IMG))
	@mkdir -p $(BIN)/scorecard
	@CGO_ENABLED=0 go -C test build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN)/scorecard/scorecard ./scorecard
	@go -C test run ./scorecard/emitted $(CURDIR) > $(BIN)/scorecard/words.json
	@$(DEVCLUSTER) image --binary $(BIN)/scorecard/scorecard --name "$(SCORECARD_IMG)" --out $(BIN)/scorecard/scorecard.tar \
	  --extra-file $(BIN)/scorecard/words.json:/words.json --extra-file docs/status-reference.md:/status-reference.md

# Operator-sdk's own images, from its module and from Debian's static busybox.
.PHONY: scorecard-load
ifdef OWN_CLUSTER
scorecard-load: cluster-up scorecard-image ## Make all images of the scorecard and give them to the cluster's nodes.
	$(call say,Making the images $(SCORECARD_TEST_IMG) and $(UNTAR_IMG))
	@CGO_ENABLED=0 go -C hack/tools/operator-sdk build -trimpath -ldflags '-s -w' -tags $(OPERATOR_SDK_TAGS) \
	  -o $(BIN)/scorecard/scorecard-test $(OPERATOR_SDK_MODULE)/images/scorecard-test
	@$(DEVCLUSTER) image --extra-file $(BIN)/scorecard/scorecard-test:/usr/local/bin/scorecard-test --name $(SCORECARD_TEST_IMG) \
	  --out $(BIN)/scorecard/scorecard-test.tar
	@$(DEVCLUSTER) image --binary "$$(command -v busybox)" --name $(UNTAR_IMG) --out $(BIN)/scorecard/untar.tar
	@$(DEVCLUSTER) load-image --name $(CLUSTER) $(BIN)/scorecard/scorecard.tar $(BIN)/scorecard/scorecard-test.tar $(BIN)/scorecard/untar.tar
else
scorecard-load:
	@printf '\nThe cluster of KUBECONFIG has to pull the images of the scorecard itself.\n'
endif

.PHONY: sbom
sbom: build $(CYCLONEDX) ## List the modules in the image, bin/jobflow-operator.cdx.json, in CycloneDX's format.
	$(call say,Writing the SBOM)
	@hack/sbom.sh "$(VERSION)"

.PHONY: image-verify
image-verify: image sbom ## Build the image once more, in another directory; fail if it is not the same, byte for byte.
	$(call say,Building once more in another directory)
	@hack/image-verify.sh "$(IMG)" "$(VERSION)"

.PHONY: run
run: cluster-up install ## Run the operator as a process on this machine, without webhooks.
	$(call say,Running the operator: Ctrl-C ends it)
	@$(use_cluster); go run . --enable-webhooks=false

##@ Cluster

.PHONY: cluster-up
ifdef OWN_CLUSTER
cluster-up: $(DEVCLUSTER) ## Start a real Kubernetes cluster on this machine.
	$(call say,Starting the cluster)
	@$(DEVCLUSTER) up --name $(CLUSTER) $(CLUSTER_FLAGS)
else
cluster-up: $(DEVCLUSTER)
	$(call say,Using the cluster of KUBECONFIG=$(KUBECONFIG))
endif

.PHONY: cluster-down
cluster-down: $(DEVCLUSTER) ## Take that cluster down and remove all traces of it.
	$(call say,Taking the cluster down)
	@$(DEVCLUSTER) down --name $(CLUSTER)

.PHONY: image-load
ifdef OWN_CLUSTER
image-load: image ## Make the image and give it to the cluster's nodes.
	$(call say,Loading the image)
	@$(DEVCLUSTER) load-image --name $(CLUSTER) $(IMAGE_TAR)
else
image-load:
	@printf '\nThe cluster of KUBECONFIG has to pull the image itself. It is taken to be there as:\n  %s\n' "$(IMG)"
	@printf 'To use another: make image IMG=REGISTRY/NAME:TAG, push bin/image.tar there (for example with crane push), and give the same IMG here.\n'
endif

.PHONY: install
install: $(DEVCLUSTER) $(KUSTOMIZE) ## Install the CRDs.
	$(call say,Installing the CRDs)
	@$(use_cluster); $(use_kubectl); $(KUSTOMIZE) build config/crd | kubectl apply -f -

.PHONY: uninstall
uninstall: $(DEVCLUSTER) $(KUSTOMIZE) ## Remove the CRDs, and with them every JobFlow, DaemonJob and JobTemplate.
	@$(use_cluster); $(use_kubectl); $(KUSTOMIZE) build config/crd | kubectl delete --ignore-not-found -f -

.PHONY: deploy
deploy: $(DEVCLUSTER) $(KUSTOMIZE) ## Install the operator in the cluster, and wait until it is ready.
	$(call say,Installing the operator $(IMG))
	@$(use_cluster); $(use_kubectl); \
	  COMPONENTS="$(COMPONENTS)" KUSTOMIZE=$(KUSTOMIZE) hack/deploy.sh "$(IMG)" $(if $(OWN_CLUSTER),$(IMAGE_TAR))

.PHONY: undeploy
undeploy: $(DEVCLUSTER) $(KUSTOMIZE) ## Remove the operator and everything that belongs to it.
	@$(use_cluster); $(use_kubectl); $(KUSTOMIZE) build config/default | kubectl delete --ignore-not-found -f -

.PHONY: olm-images
olm-images: build $(DEVCLUSTER) $(RENDERCATALOG) $(OPM) $(OLM_PROGRAMS)
	$(call say,Making the images of OLM and of all versions)
	@hack/olm/images.sh

.PHONY: olm-install
ifdef OWN_CLUSTER
olm-install: cluster-up olm-images $(HELM) ## Install OLM in the cluster, and give its nodes the images of operator, bundle and catalog.
	@if $(simulated); then \
	  echo 'OLM needs nodes that run containers, and those of the cluster $(CLUSTER) are simulated. Real ones need Linux, root and apt: make cluster-down, then this again.' >&2; exit 1; \
	fi
	$(call say,Loading the images)
	@$(DEVCLUSTER) load-image --name $(CLUSTER) $(BIN)/olm/*.tar
	$(call say,Installing OLM)
	@$(use_cluster); $(use_kubectl); source $(BIN)/olm/references; hack/olm/install.sh "$$OLM" "$$OPM"
else
olm-install:
	@echo 'KUBECONFIG is set. OLM is tested only in a cluster that is made for it, since the images are given to its nodes: unset KUBECONFIG' >&2; exit 1
endif

##@ Tools

# Each tool is built from a Go module that pins it, into bin/.

.PHONY: tools
tools: $(DEVCLUSTER) $(CONTROLLER_GEN) $(KUSTOMIZE) $(GOLANGCI_LINT) $(CRDTRIM) $(APIDOCS) $(OPERATOR_SDK) $(BUNDLEFINISH) $(HELM) $(OPM) $(RENDERCATALOG) $(OLM_PROGRAMS) $(PROMTOOL) $(CHARTDOCS) $(CYCLONEDX) $(GOVULNCHECK) ## Build all the tools that the other targets use.

$(DEVCLUSTER): $(shell find hack/devcluster -name '*.go' -o -name go.mod -o -name '*.tmpl' -o -name '*.yaml')
	$(call say,Building devcluster)
	@go -C hack/devcluster build -o $@ .

$(CONTROLLER_GEN): hack/tools/go.mod
	$(call say,Building controller-gen)
	@go -C hack/tools build -o $@ sigs.k8s.io/controller-tools/cmd/controller-gen

$(KUSTOMIZE): hack/tools/go.mod
	$(call say,Building kustomize)
	@go -C hack/tools build -o $@ sigs.k8s.io/kustomize/kustomize/v5

$(GOLANGCI_LINT): hack/tools/golangci/go.mod
	$(call say,Building golangci-lint: some minutes the first time)
	@go -C hack/tools/golangci build -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(CRDTRIM): hack/tools/go.mod $(wildcard hack/tools/crdtrim/*.go)
	@go -C hack/tools build -o $@ ./crdtrim

$(APIDOCS): hack/tools/go.mod $(wildcard hack/tools/apidocs/*.go)
	@go -C hack/tools build -o $@ ./apidocs

$(CHARTDOCS): hack/tools/go.mod $(wildcard hack/tools/chartdocs/*.go)
	@go -C hack/tools build -o $@ ./chartdocs

$(BUNDLEFINISH): hack/tools/go.mod $(wildcard hack/tools/bundlefinish/*.go)
	@go -C hack/tools build -o $@ ./bundlefinish

# Without service discovery in every cloud, which is most of it.
$(PROMTOOL): hack/tools/prometheus/go.mod
	$(call say,Building promtool: some minutes the first time)
	@CGO_ENABLED=0 go -C hack/tools/prometheus build -o $@ -tags remove_all_sd github.com/prometheus/prometheus/cmd/promtool

# What the SBOM says of its tool is to be the same everywhere, too.
$(CYCLONEDX): hack/tools/sbom/go.mod
	$(call say,Building cyclonedx-gomod)
	@CGO_ENABLED=0 go -C hack/tools/sbom build -trimpath -buildvcs=false -o $@ github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod

$(GOVULNCHECK): hack/tools/govulncheck/go.mod
	$(call say,Building govulncheck)
	@go -C hack/tools/govulncheck build -o $@ golang.org/x/vuln/cmd/govulncheck

# Without the libraries of its image tools that need C; its version goes into the bundle.
OPERATOR_SDK_MODULE := github.com/operator-framework/operator-sdk
OPERATOR_SDK_TAGS   := containers_image_openpgp,exclude_graphdriver_btrfs,exclude_graphdriver_devicemapper
$(OPERATOR_SDK): hack/tools/operator-sdk/go.mod
	$(call say,Building operator-sdk: some minutes the first time)
	@version="$$(go -C hack/tools/operator-sdk list -m -f '{{.Version}}' $(OPERATOR_SDK_MODULE))"; \
	  CGO_ENABLED=0 go -C hack/tools/operator-sdk build -o $@ \
	    -tags $(OPERATOR_SDK_TAGS) \
	    -ldflags "-X $(OPERATOR_SDK_MODULE)/internal/version.Version=$$version" $(OPERATOR_SDK_MODULE)/cmd/operator-sdk

$(HELM): hack/tools/helm/go.mod
	$(call say,Building helm: a minute the first time)
	@CGO_ENABLED=0 go -C hack/tools/helm build -o $@ helm.sh/helm/v4/cmd/helm

# The tags leave out what needs C.
OLM_BUILD := CGO_ENABLED=0 go -C hack/olm build -trimpath -ldflags '-s -w' \
  -tags json1,netgo,osusergo,containers_image_openpgp,exclude_graphdriver_btrfs,exclude_graphdriver_devicemapper

$(OPM): hack/olm/go.mod
	$(call say,Building opm: some minutes the first time)
	@$(OLM_BUILD) -o $@ github.com/operator-framework/operator-registry/cmd/opm

$(RENDERCATALOG): hack/olm/go.mod $(wildcard hack/olm/rendercatalog/*.go)
	@$(OLM_BUILD) -o $@ ./rendercatalog

$(BIN)/olm-operator: hack/olm/go.mod
	$(call say,Building OLM: some minutes the first time)
	@$(OLM_BUILD) -o $@ github.com/operator-framework/operator-lifecycle-manager/cmd/olm

$(BIN)/olm-catalog: hack/olm/go.mod
	@$(OLM_BUILD) -o $@ github.com/operator-framework/operator-lifecycle-manager/cmd/catalog

$(BIN)/cpb: hack/olm/go.mod
	@$(OLM_BUILD) -o $@ github.com/operator-framework/operator-lifecycle-manager/util/cpb

$(BIN)/grpc-health-probe: hack/tools/grpc-health-probe/go.mod
	@CGO_ENABLED=0 go -C hack/tools/grpc-health-probe build -trimpath -ldflags '-s -w' -o $@ github.com/grpc-ecosystem/grpc-health-probe
