// Package versions_test checks that the modules of the repository require the same versions of
// the libraries they share.
package versions_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

const kubernetes = "hack/devcluster/tools/kubernetes/go.mod"

// shared has prefixes of the libraries that the operator, its tests, Kubernetes and most tools
// share. Go compiles a library, and every package that imports it, once for each version of the
// library: with one version it compiles them only once.
var shared = []string{
	"k8s.io/", "sigs.k8s.io/", "golang.org/x/", "google.golang.org/grpc", "google.golang.org/protobuf",
	"github.com/prometheus/", "go.opentelemetry.io/", "go.yaml.in/", "github.com/go-logr/",
	"github.com/google/cel-go", "github.com/google/gnostic-models",
}

func TestVersionsAreThoseOfKubernetes(t *testing.T) {
	for _, file := range []string{"go.mod", "test/go.mod", "hack/tools/go.mod", "hack/devcluster/tools/coredns/go.mod"} {
		t.Run(file, func(t *testing.T) {
			compare(t, kubernetes, file, func(library string) bool {
				return slices.ContainsFunc(shared, func(prefix string) bool { return strings.HasPrefix(library, prefix) })
			})
		})
	}
}

// The tests run the operator's packages. With other versions of libraries they would not test
// the program that ships.
func TestTestsHaveTheOperatorsVersions(t *testing.T) {
	compare(t, "go.mod", "test/go.mod", func(string) bool { return true })
}

// compare fails for each library that two modules require in different versions.
func compare(t *testing.T, wanted, file string, relevant func(library string) bool) {
	t.Helper()
	want, got := versions(t, wanted), versions(t, file)
	compared := 0
	for library, version := range got {
		if want[library] == "" || !relevant(library) {
			continue
		}
		compared++
		if version != want[library] {
			t.Errorf("%s has %s %s, %s has %s: require the same version", file, library, version, wanted, want[library])
		}
	}
	t.Logf("%d libraries of %s are compared with %s", compared, file, wanted)
	if compared == 0 {
		t.Errorf("%s has no library of %s", file, wanted)
	}
}

// versions returns the versions of libraries that a go.mod requires, after replacements.
func versions(t *testing.T, file string) map[string]string {
	t.Helper()
	parsed, err := modfile.Parse(file, manifests.Read(t, file), nil)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, required := range parsed.Require {
		found[required.Mod.Path] = required.Mod.Version
	}
	for _, replaced := range parsed.Replace {
		if _, required := found[replaced.Old.Path]; required {
			found[replaced.Old.Path] = strings.TrimPrefix(replaced.New.Path+" "+replaced.New.Version, replaced.Old.Path+" ")
		}
	}
	return found
}
