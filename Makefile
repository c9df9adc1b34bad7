# Everything is built from source with Go. No container engine, registry or download of
# binaries is needed. "make help" lists the targets.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# The targets share one cluster and two cores.
.NOTPARALLEL:
# A tool in bin/ is a symbolic link into a cache: compare the time of the link, not of its target.
MAKEFLAGS += --no-print-directory --check-symlink-times

# Programs, tests and tools share one set of flags, so that Go compiles each package once, in
# whatever directory, and the tests test what ships. "make lint" runs vet, so go test does not.
export CGO_ENABLED := 0
export GOFLAGS     := $(strip $(GOFLAGS) -trimpath -buildvcs=false -vet=off)

# The operator's image. With KUBECONFIG set, that cluster has to be able to pull it.
IMG ?= ghcr.io/jobflow-operator/jobflow-operator:v0.2.0
# The version that the operator reports.
VERSION ?= v0.2.0
# The images of the scorecard: our tests, operator-sdk's tests, and the image that unpacks
# the bundle for both. config/scorecard names the first two.
SCORECARD_IMG      := ghcr.io/jobflow-operator/jobflow-operator-scorecard:$(VERSION)
SCORECARD_TEST_IMG := quay.io/operator-framework/scorecard-test:v1.33.0
UNTAR_IMG          := quay.io/operator-framework/scorecard-untar:v1.33.0
# The name of devcluster's cluster, and flags of "devcluster up", for example CLUSTER_FLAGS="--nodes 5" or --simulated.
CLUSTER ?= dev
CLUSTER_FLAGS ?=
# Components of config/components to install with the operator, for example COMPONENTS=high-availability.
COMPONENTS ?=
# The directory for everything that is built here.
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
SCORECARD_TEST := $(BIN)/scorecard-test
CYCLONEDX      := $(BIN)/cyclonedx-gomod
GOVULNCHECK    := $(BIN)/govulncheck
BUNDLEFINISH   := $(BIN)/bundlefinish
HELM           := $(BIN)/helm
OPM            := $(BIN)/opm
RENDERCATALOG  := $(BIN)/rendercatalog
# The programs in the images of OLM and of opm.
OLM_PROGRAMS   := $(BIN)/olm-operator $(BIN)/olm-catalog $(BIN)/cpb $(BIN)/grpc-health-probe
PROMTOOL       := $(BIN)/promtool
CHARTDOCS      := $(BIN)/chartdocs
TESTLOG        := $(BIN)/testlog
# The Helm chart.
CHART := charts/jobflow-operator

# The race detector needs a C compiler.
race_flag := $(if $(shell command -v gcc),-race)
race_go   := $(if $(race_flag),CGO_ENABLED=1 )go

# The packages of the controllers except apitest, whose specs run in parallel processes.
CONTROLLERS := ./controllers $(filter-out ./controllers/apitest,$(patsubst %/,./%,$(wildcard controllers/*/)))
# Every module with code of this repository.
MODULES := . hack/devcluster hack/olm hack/tools test

# If KUBECONFIG is set, use its cluster, and otherwise devcluster's.
ifeq ($(strip $(KUBECONFIG)),)
OWN_CLUSTER := yes
use_cluster = export KUBECONFIG="$$($(DEVCLUSTER) kubeconfig --name $(CLUSTER))"
else
use_cluster = export KUBECONFIG="$(KUBECONFIG)"
endif
# A command that succeeds if the nodes of devcluster's cluster only simulate containers.
simulated = $(if $(OWN_CLUSTER),$(DEVCLUSTER) status --name $(CLUSTER) 2>/dev/null | grep -q '^mode *simulated',false)
# Puts kubectl into PATH, in the version of the cluster.
use_kubectl = export PATH="$$($(DEVCLUSTER) bin-dir):$$PATH"

say = @printf '\n==> %s\n' "$(1)"

##@ General

.PHONY: help
help: ## Show this list.
	@awk 'BEGIN { FS = ":.*## "; print "Usage: make TARGET" } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nVariables: IMG, CLUSTER_FLAGS, KUBECONFIG (demo, test-e2e, deploy and the like use that cluster)\n'

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

# Runs tests of a module and prints a line for each package, and every 15 seconds what is
# still running. Tests that use an API server or files of the repository run with -count=1,
# since Go's cache of test results does not notice all that they depend on.
gotest = go -C $(1) test -json -p 4 -timeout 15m $(2) | $(TESTLOG)
racetest = $(race_go) -C $(1) test $(race_flag) -json -p 4 -timeout 15m $(2) | $(TESTLOG)
# Specs wait more than they compute, so several processes run them in parallel.
apitest = $(race_go) run github.com/onsi/ginkgo/v2/ginkgo run $(race_flag) --procs=4 --no-color --ldflags=-w \
  --poll-progress-after=60s --timeout=20m $(1)
# The programs that tests start: the API server with its etcd, and the operator.
use_apiserver = export KUBEBUILDER_ASSETS="$$($(DEVCLUSTER) assets)" OPERATOR=$(MANAGER)

.PHONY: test
test: test-unit test-apiserver ## Run all tests that need no cluster: test-unit and test-apiserver.

.PHONY: test-unit
test-unit: export KUBEBUILDER_ASSETS :=
test-unit: export KUBECONFIG :=
test-unit: $(TESTLOG) ## Run the tests that need no API server: less than a minute.
	$(call say,Testing the operator)
	@$(call gotest,.,. ./api/... $(CONTROLLERS) ./internal/... ./hack/...)
	$(call say,Testing the tools)
	@$(call gotest,hack/devcluster,./...)
	@$(call gotest,hack/tools,-count=1 ./...)
	$(call say,Testing the bundle and the tests)
	@$(call gotest,test,-count=1 ./bundle ./versions ./scorecard/... ./testkit/... ./faults/soak ./faults/fuzz ./faults/summary)
	@$(call gotest,test,-run 'Invariants|TestOrder|TestAgain|TestQueuesBusy|TestConnectionCut' ./faults/cluster ./faults/internal/... ./faults/trials)

.PHONY: test-apiserver
test-apiserver: build $(TESTLOG) $(DEVCLUSTER) $(HELM) ## Test controllers, webhooks, permissions and chart against a real API server and etcd.
	$(call say,Building kube-apiserver and etcd where they are not cached)
	@$(DEVCLUSTER) assets > /dev/null
	$(call say,Testing the operator against an API server$(if $(race_flag), with the race detector))
	@$(use_apiserver); $(call racetest,.,-count=1 $(CONTROLLERS) ./webhooks ./internal/metrics ./internal/startup ./internal/shutdown)
	@$(use_apiserver); $(call apitest,./controllers/apitest)
	$(call say,Testing what is installed and what it may do)
	@$(use_apiserver); $(call gotest,test,-count=1 ./helm/chart ./security)

# PKG is the directory of a package; FOCUS is a few words of a spec, or the name of a test.
.PHONY: spec
spec: $(DEVCLUSTER) ## Run one spec: make spec PKG=controllers/apitest FOCUS='honours parallelism' [RACE=1] [REPEAT=20].
	@CLUSTER=$(CLUSTER) UNIT_CLUSTER=$(UNIT_CLUSTER) IMG="$(IMG)" hack/spec.sh "$(PKG)" "$(FOCUS)" "$(REPEAT)" "$(RACE)"

# The name of the API server that "make spec" uses if it runs.
UNIT_CLUSTER := unit
.PHONY: apiserver
apiserver: $(DEVCLUSTER) ## Start an API server that "make spec" uses instead of starting its own.
	@$(DEVCLUSTER) up --name $(UNIT_CLUSTER) --simulated

.PHONY: apiserver-down
apiserver-down: $(DEVCLUSTER) ## Stop that API server.
	@$(DEVCLUSTER) down --name $(UNIT_CLUSTER)

.PHONY: test-scorecard
test-scorecard: cluster-up image-load deploy scorecard-load $(OPERATOR_SDK) $(KUSTOMIZE) ## Run "operator-sdk scorecard" on the bundle, in a cluster that has the operator.
	$(call say,Running the scorecard)
	@$(use_cluster); $(use_kubectl); \
	  $(KUSTOMIZE) build config/scorecard/runner | kubectl apply -f -; \
	  go -C test run ./scorecard/runner --operator-sdk $(OPERATOR_SDK) $(if $(OWN_CLUSTER),--untar-image $(UNTAR_IMG)) $(CURDIR)/bundle

.PHONY: test-observability
test-observability: build $(DEVCLUSTER) $(PROMTOOL) ## Test alerts with promtool; check every metric of alerts and dashboard at a running operator.
	$(call say,Testing alerts, runbooks and dashboard)
	@$(use_apiserver); PROMTOOL=$(PROMTOOL) go -C test test -count=1 -timeout 15m ./observability

.PHONY: test-e2e
test-e2e: cluster-up image-load deploy ## Run the samples and more on real nodes.
	$(call say,Running the end-to-end tests)
	@$(use_cluster); $(use_kubectl); \
	  go -C test test -v -count=1 -timeout 40m ./e2e

# The benchmark has its own cluster, whose audit log shows the operator's requests. For a part of
# it set BENCH_FLAGS, for example BENCH_FLAGS="--only a,b --runs 1". Only a complete run writes the
# page and the plots.
BENCH_CLUSTER := bench
BENCH_FLAGS   ?= --out $(CURDIR)/docs

.PHONY: bench
bench: build $(DEVCLUSTER) $(KUSTOMIZE) ## Measure speed against the floor, on simulated nodes; writes docs/benchmarks.md.
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

# It prints times for people to read. "make test" checks, by counting, that no decision is quadratic.
.PHONY: bench-core
bench-core: ## Measure time and allocations of the decisions at 10, 100 and 1,000 steps and nodes.
	$(call say,Measuring the pure core)
	@go test -run '^$$' -bench '^BenchmarkCore$$' ./internal/scale | go run ./hack/benchcore

# Flags of the tests of faults, for example FAULTS_FLAGS='-budget 1m -seed 7' for test-faults.
FAULTS_FLAGS ?=
FAULTS_REPORT := $(BIN)/faults
run_faults = mkdir -p $(FAULTS_REPORT); $(use_apiserver); \
  FAULTS_REPORT=$(FAULTS_REPORT) $(race_go) -C test test $(race_flag) -count=1 -timeout 90m -v $(1) $(FAULTS_FLAGS)

.PHONY: test-faults
test-faults: build $(DEVCLUSTER) ## Try a random sample of operator crashes and API server faults: 4 minutes.
	$(call say,Trying a sample of operator crashes and API server faults)
	@$(call run_faults,./faults/trials -budget 180s)

.PHONY: faults-trials
faults-trials: build $(DEVCLUSTER) ## Try all operator crashes and API server faults; FAULTS_FLAGS='-only "^diamond/"' for a few.
	$(call say,Trying all operator crashes and API server faults)
	@$(call run_faults,./faults/trials)

# How long each fuzz test runs.
FUZZTIME ?= 60s
.PHONY: faults-fuzz
faults-fuzz: ## Fuzz admission, names, merges and more, each for FUZZTIME.
	$(call say,Fuzzing each test for $(FUZZTIME))
	@mkdir -p $(FAULTS_REPORT)
	@FAULTS_REPORT=$(FAULTS_REPORT) go -C test run ./faults/fuzz -module $(CURDIR) -time $(FUZZTIME) ./api/... ./internal/...

.PHONY: faults-misuse
faults-misuse: build $(DEVCLUSTER) ## Give every property of the CRDs valid and invalid values: no value is ignored, nothing breaks.
	$(call say,Misusing every property)
	@$(call run_faults,./faults/misuse)

# Flags of test/faults/soak. The rest at the end is long enough to see what leaks with each flow.
SOAK_FLAGS ?= --flows 20000 --duration 2h --rest 13m
.PHONY: faults-soak
faults-soak: build $(DEVCLUSTER) ## Run 20,000 scenarios in two hours; memory has to stay flat. For a minute: SOAK_FLAGS="--flows 500 --duration 1m".
	$(call say,Soaking the operator: $(SOAK_FLAGS))
	@mkdir -p $(FAULTS_REPORT); $(use_apiserver); export FAULTS_REPORT=$(FAULTS_REPORT); \
	  go -C test run ./faults/soak --operator $(MANAGER) --out $(BIN) $(SOAK_FLAGS)

# The faults kill processes of the cluster, so they need devcluster's cluster.
.PHONY: faults-cluster
ifdef OWN_CLUSTER
faults-cluster: cluster-up ## Try faults of the API server, etcd, nodes and the operator's pods, on real nodes.
	@if $(simulated); then \
	  echo 'These faults need nodes that run containers, and those of the cluster $(CLUSTER) are simulated. Real ones need Linux, root and apt: make cluster-down, then this again.' >&2; exit 1; \
	fi
	@$(MAKE) image-load deploy COMPONENTS=high-availability
	$(call say,Testing faults of the cluster)
	@$(use_cluster); $(use_kubectl); \
	  CLUSTER=$(CLUSTER) DEVCLUSTER=$(DEVCLUSTER) FAULTS_REPORT=$(FAULTS_REPORT) \
	  go -C test test -v -count=1 -timeout 90m ./faults/cluster $(FAULTS_FLAGS)
else
faults-cluster:
	@echo 'KUBECONFIG is set. These faults need a cluster of devcluster, whose processes they kill: unset KUBECONFIG' >&2; exit 1
endif

# The tests that take too long for each change. A part that has passed on this tree is skipped.
PARTS ?= statements graphs chart trials misuse fuzz cluster soak bench
.PHONY: test-long
test-long: ## Run the tests that take too long for each change, over four hours; PARTS="trials fuzz" for only these parts.
	@hack/test-long.sh $(PARTS)

.PHONY: test-statements
test-statements: ## Count statements of the decisions at 10, 100 and 1,000 steps, including those of the package slices.
	$(call say,Counting statements)
	@go test -count=1 -timeout 30m -run TestStatements -v ./internal/scale -scale.slices

.PHONY: test-graphs
test-graphs: build $(DEVCLUSTER) ## Run 504 random graphs against an API server.
	$(call say,Running random graphs)
	@$(use_apiserver); $(call apitest,--focus='random graphs' ./controllers/apitest -- -rapid.checks=63)

.PHONY: test-chart
test-chart: build $(DEVCLUSTER) $(HELM) ## Test the Helm chart with every combination of its values.
	$(call say,Rendering every combination)
	@$(use_apiserver); COMBINATIONS=all go -C test test -count=1 -timeout 30m -run TestValid -v ./helm/chart

# The tests install the operator themselves, in a cluster that does not have it. The recipe
# removes an operator from devcluster's cluster, but not from a cluster that others may use.
.PHONY: test-helm
test-helm: cluster-up image-load $(HELM) $(KUSTOMIZE) ## Install, upgrade and remove the operator with Helm and with kubectl apply -f.
ifdef OWN_CLUSTER
	@$(MAKE) undeploy
endif
	$(call say,Testing the chart and dist/install.yaml in the cluster)
	@$(use_cluster); $(use_kubectl); \
	  IMG="$(IMG)" go -C test test -v -count=1 -timeout 20m ./helm/install

.PHONY: test-olm
test-olm: olm-install ## Install, upgrade and remove the operator with OLM, from the catalog, on real nodes.
	@$(MAKE) undeploy
	$(call say,Running the tests under OLM)
	@$(use_cluster); $(use_kubectl); set -a; source $(BIN)/olm/references; \
	  go -C test test -v -count=1 -timeout 25m ./olm

##@ Develop

.PHONY: regenerate
regenerate: generate manifests bundle catalog chart dist ## Generate all generated files, each after those it is made from.

.PHONY: generate
generate: $(CONTROLLER_GEN) $(APIDOCS) ## Generate deep copies, docs/api-reference.md and tables of fields and reasons from the Go types.
	$(call say,Generating code and documentation of the API)
	@$(CONTROLLER_GEN) object paths=./api/...
	@$(APIDOCS) api/v1alpha1 README.md > docs/api-reference.md
	@go run ./hack/reasondocs docs/status-reference.md docs/runbooks/JobFlowStalled.md

.PHONY: manifests
manifests: $(CONTROLLER_GEN) $(CRDTRIM) ## Generate the CRDs, the role and the webhook configuration.
	$(call say,Generating manifests)
	@$(CONTROLLER_GEN) crd:generateEmbeddedObjectMeta=true paths=./api/... output:crd:artifacts:config=config/crd/bases
	@$(CRDTRIM) -api api/v1alpha1 config/crd/bases/*.yaml
	@$(CONTROLLER_GEN) rbac:roleName=manager-role webhook paths=./controllers/... paths=./webhooks/... \
	  output:rbac:dir=config/rbac output:webhook:dir=config/webhook

.PHONY: chart
chart: $(CHARTDOCS) ## Generate the chart's files that come from config/, and the table of its values.
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

# Pipe the input: operator-sdk ignores standard input that is a file.
.PHONY: bundle
bundle: $(KUSTOMIZE) $(OPERATOR_SDK) $(BUNDLEFINISH) ## Generate the bundle for OLM, bundle/ and bundle.Dockerfile, from config/.
	$(call say,Generating the bundle)
	@rm -rf bundle/manifests bundle/metadata bundle/tests
	@$(KUSTOMIZE) build --load-restrictor LoadRestrictionsNone config/manifests > $(BIN)/bundle-input.yaml
	@cat $(BIN)/bundle-input.yaml | $(OPERATOR_SDK) generate bundle --quiet --overwrite \
	  --version $(VERSION:v%=%) --channels candidate,stable --default-channel stable
	@$(BUNDLEFINISH) -input $(BIN)/bundle-input.yaml -icon config/manifests/icon.svg -api api/v1alpha1 bundle/manifests

# operator-sdk exits with 0 in spite of warnings.
.PHONY: bundle-validate
bundle-validate: $(OPERATOR_SDK) ## Check bundle/ as OperatorHub does; a warning is an error.
	$(call say,Validating the bundle)
	@for validators in suite=operatorframework name=good-practices; do \
	  printf '%s: ' "$$validators"; \
	  $(OPERATOR_SDK) bundle validate ./bundle --select-optional "$$validators" 2>&1 | tee $(BIN)/bundle-validate.log; \
	  if grep -Eq 'level=(warning|error)' $(BIN)/bundle-validate.log; then exit 1; fi; \
	done

# opm would pull the images of the bundles to render the templates. rendercatalog reads the
# directories that the images are built from: see docs/design/catalog.md.
CATALOG_BUNDLES = $(foreach version,$(notdir $(wildcard catalog/released/*)) $(VERSION),--bundle \
  ghcr.io/jobflow-operator/jobflow-operator-bundle:$(version)=$(if $(filter $(VERSION),$(version)),bundle,catalog/released/$(version)))

.PHONY: catalog
catalog: $(RENDERCATALOG) ## Render the catalog for OLM, catalog/configs, from catalog/semver.yaml and the bundles.
	$(call say,Rendering the catalog)
	@mkdir -p catalog/configs/jobflow-operator
	@$(RENDERCATALOG) $(CATALOG_BUNDLES) catalog/semver.yaml > $(BIN)/catalog.yaml
	@mv $(BIN)/catalog.yaml catalog/configs/jobflow-operator/catalog.yaml

.PHONY: catalog-verify
catalog-verify: ## Check that the released bundles have not changed since their release.
	$(call say,Comparing the released bundles with their commits)
	@hack/olm/verify-released.sh

# golangci-lint fmt formats every module below the directory.
.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the Go code.
	$(call say,Formatting)
	@$(GOLANGCI_LINT) fmt ./...

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Lint every module, including its format and the import boundaries between packages.
	@failed=0; for module in $(MODULES); do \
	  printf '\n==> Linting %s\n' "$$module"; \
	  (cd $$module && $(GOLANGCI_LINT) run --config $(CURDIR)/.golangci.yml ./...) || failed=1; \
	done; exit $$failed

# verify compares the tree before and after generation, so it also works with uncommitted
# changes. In a clean checkout this is the difference to the commit.
tree_state = git ls-files -co --exclude-standard -z | sort -z | xargs -0 sha256sum 2>/dev/null || true

.PHONY: verify
verify: $(CONTROLLER_GEN) $(CRDTRIM) $(APIDOCS) $(GOLANGCI_LINT) $(KUSTOMIZE) $(OPERATOR_SDK) $(BUNDLEFINISH) $(RENDERCATALOG) $(CHARTDOCS) ## Generate and lint; fail if that changes a file.
	@mkdir -p $(BIN); { $(tree_state); } > $(BIN)/tree.before
	@$(MAKE) regenerate
	@{ $(tree_state); } > $(BIN)/tree.after; \
	  if ! diff $(BIN)/tree.before $(BIN)/tree.after > $(BIN)/tree.diff; then \
	    echo "These files were not as generated; they are now. See git diff, and commit them:"; \
	    sed -n 's/^> [0-9a-f]*  /  /p' $(BIN)/tree.diff; \
	    exit 1; \
	  fi
	@hack/generated.sh $(BIN)/tree.before
	@$(MAKE) lint bundle-validate catalog-verify
	$(call say,Verified: generated files are up to date and all checks pass)

# hack/vulncheck.sh has a separate exit code for a database that cannot be read.
.PHONY: vulncheck
vulncheck: $(GOVULNCHECK) ## Look for known vulnerabilities in what the operator calls; fails if their database cannot be read.
	$(call say,Looking for known vulnerabilities)
	@GOVULNCHECK=$(GOVULNCHECK) hack/vulncheck.sh

.PHONY: clean
clean: ## Remove what was built here. The cluster and its cache stay.
	@rm -rf $(BIN)

##@ Build

# Go decides what to rebuild. The same source gives the same program in any directory: the
# flags above keep the directory and the state of git out of it.
.PHONY: build
build: ## Build the operator, bin/manager, as a static program.
	$(call say,Building the operator: two or three minutes the first time)
	@go build -ldflags '-s -w -X main.version=$(VERSION)' -o $(MANAGER) .

.PHONY: image
image: build $(DEVCLUSTER) ## Make the operator's image, bin/image.tar, without a container engine.
	$(call say,Making the image $(IMG))
	@$(DEVCLUSTER) image --binary $(MANAGER) --name "$(IMG)" --out $(IMAGE_TAR)

# words.json has the words that the code can write, for jobflow-words-documented.
.PHONY: scorecard-image
scorecard-image: $(DEVCLUSTER) ## Make the image of the scorecard's tests, bin/scorecard/scorecard.tar.
	$(call say,Making the image $(SCORECARD_IMG))
	@mkdir -p $(BIN)/scorecard
	@go -C test build -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN)/scorecard/scorecard ./scorecard
	@go -C test run ./scorecard/emitted $(CURDIR) > $(BIN)/scorecard/words.json
	@$(DEVCLUSTER) image --binary $(BIN)/scorecard/scorecard --name "$(SCORECARD_IMG)" --out $(BIN)/scorecard/scorecard.tar \
	  --extra-file $(BIN)/scorecard/words.json:/words.json --extra-file docs/status-reference.md:/status-reference.md

# operator-sdk's images are built from its module and from Debian's static busybox.
.PHONY: scorecard-load
ifdef OWN_CLUSTER
scorecard-load: cluster-up scorecard-image $(SCORECARD_TEST) ## Make all images of the scorecard and load them into the cluster's nodes.
	$(call say,Making the images $(SCORECARD_TEST_IMG) and $(UNTAR_IMG))
	@$(DEVCLUSTER) image --extra-file $(SCORECARD_TEST):/usr/local/bin/scorecard-test --name $(SCORECARD_TEST_IMG) \
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
image-verify: image sbom ## Build the image once more, in another directory; fail if it differs in a byte.
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
cluster-down: $(DEVCLUSTER) ## Stop that cluster and remove all traces of it.
	$(call say,Taking the cluster down)
	@$(DEVCLUSTER) down --name $(CLUSTER)

.PHONY: image-load
ifdef OWN_CLUSTER
image-load: image ## Make the image and load it into the cluster's nodes.
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

.PHONY: redeploy
redeploy: image-load deploy ## Build the operator, and replace the one in the cluster with it.

.PHONY: undeploy
undeploy: $(DEVCLUSTER) $(KUSTOMIZE) ## Remove the operator and everything that belongs to it.
	@$(use_cluster); $(use_kubectl); $(KUSTOMIZE) build config/default | kubectl delete --ignore-not-found -f -

.PHONY: olm-images
olm-images: build $(DEVCLUSTER) $(RENDERCATALOG) $(OPM) $(OLM_PROGRAMS)
	$(call say,Making the images of OLM and of all versions)
	@hack/olm/images.sh

.PHONY: olm-install
ifdef OWN_CLUSTER
olm-install: cluster-up olm-images $(HELM) ## Install OLM in the cluster, and load the images of operator, bundle and catalog into its nodes.
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

# Each tool is built once per machine, from a Go module that pins it; bin/ links to it.
tool = @hack/tool.sh $@

TOOLS := $(CONTROLLER_GEN) $(KUSTOMIZE) $(GOLANGCI_LINT) $(CRDTRIM) $(APIDOCS) $(OPERATOR_SDK) $(SCORECARD_TEST) \
  $(BUNDLEFINISH) $(HELM) $(OPM) $(RENDERCATALOG) $(OLM_PROGRAMS) $(PROMTOOL) $(CHARTDOCS) $(CYCLONEDX) $(GOVULNCHECK)
.PHONY: tools
tools: $(DEVCLUSTER) $(TESTLOG) $(TOOLS) ## Build all tools that the other targets use, and the API server of the tests.
	@$(DEVCLUSTER) assets > /dev/null

$(DEVCLUSTER): $(shell find hack/devcluster -name '*.go' -o -name go.mod -o -name '*.tmpl' -o -name '*.yaml')
	$(call say,Building devcluster)
	@go -C hack/devcluster build -ldflags '-s -w' -o $@ .

$(TESTLOG): $(wildcard hack/testlog/*.go)
	@go build -ldflags '-s -w' -o $@ ./hack/testlog

$(KUSTOMIZE): hack/tools/go.mod hack/tools/go.sum
	$(tool) hack/tools sigs.k8s.io/kustomize/kustomize/v5

$(HELM): hack/tools/go.mod hack/tools/go.sum
	$(tool) hack/tools helm.sh/helm/v4/cmd/helm

$(CYCLONEDX): hack/tools/go.mod hack/tools/go.sum
	$(tool) hack/tools github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod

# The tag leaves out service discovery for the clouds, which is most of the code.
$(PROMTOOL): hack/tools/go.mod hack/tools/go.sum
	$(tool) hack/tools github.com/prometheus/prometheus/cmd/promtool -tags remove_all_sd

$(CRDTRIM) $(APIDOCS) $(CHARTDOCS) $(BUNDLEFINISH): $(wildcard hack/tools/*/*.go hack/tools/internal/*/*.go) hack/tools/go.mod hack/tools/go.sum
	$(tool) hack/tools ./$(@F)

$(CONTROLLER_GEN): hack/tools/newer/go.mod hack/tools/newer/go.sum
	$(tool) hack/tools/newer sigs.k8s.io/controller-tools/cmd/controller-gen

# golangci-lint, with the API conventions of Kubernetes as one more linter.
$(GOLANGCI_LINT): hack/tools/newer/go.mod hack/tools/newer/go.sum
	$(tool) hack/tools/newer sigs.k8s.io/kube-api-linter/cmd/golangci-lint-kube-api-linter

$(GOVULNCHECK): hack/tools/newer/go.mod hack/tools/newer/go.sum
	$(tool) hack/tools/newer golang.org/x/vuln/cmd/govulncheck

$(BIN)/grpc-health-probe: hack/tools/newer/go.mod hack/tools/newer/go.sum
	$(tool) hack/tools/newer github.com/grpc-ecosystem/grpc-health-probe

# The tags leave out image libraries that need C; .golangci.yml has the same tags.
WITHOUT_C := -tags containers_image_openpgp,exclude_graphdriver_btrfs,exclude_graphdriver_devicemapper

# operator-sdk writes its version into the bundle.
OPERATOR_SDK_MODULE := github.com/operator-framework/operator-sdk
$(OPERATOR_SDK): hack/tools/operator-sdk/go.mod hack/tools/operator-sdk/go.sum
	$(tool) hack/tools/operator-sdk $(OPERATOR_SDK_MODULE)/cmd/operator-sdk $(WITHOUT_C) \
	  -ldflags "-s -w -X $(OPERATOR_SDK_MODULE)/internal/version.Version=$$(go -C hack/tools/operator-sdk list -m -f '{{.Version}}' $(OPERATOR_SDK_MODULE))"

$(SCORECARD_TEST): hack/tools/operator-sdk/go.mod hack/tools/operator-sdk/go.sum
	$(tool) hack/tools/operator-sdk $(OPERATOR_SDK_MODULE)/images/scorecard-test $(WITHOUT_C)

OLM_MODULE := github.com/operator-framework/operator-lifecycle-manager
$(OPM): hack/olm/go.mod hack/olm/go.sum
	$(tool) hack/olm github.com/operator-framework/operator-registry/cmd/opm $(WITHOUT_C)

$(RENDERCATALOG): $(wildcard hack/olm/rendercatalog/*.go) hack/olm/go.mod hack/olm/go.sum
	$(tool) hack/olm ./rendercatalog $(WITHOUT_C)

$(BIN)/olm-operator: hack/olm/go.mod hack/olm/go.sum
	$(tool) hack/olm $(OLM_MODULE)/cmd/olm $(WITHOUT_C)

$(BIN)/olm-catalog: hack/olm/go.mod hack/olm/go.sum
	$(tool) hack/olm $(OLM_MODULE)/cmd/catalog $(WITHOUT_C)

$(BIN)/cpb: hack/olm/go.mod hack/olm/go.sum
	$(tool) hack/olm $(OLM_MODULE)/util/cpb $(WITHOUT_C)
