// Package versions_test compares the versions of the libraries that several modules of
// the repository name.
package versions_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

const kubernetes = "hack/devcluster/tools/kubernetes/go.mod"

// shared are the libraries, by the beginning of their names, from which the operator, its
// tests, Kubernetes and most tools are built. Go compiles a library, and all that import
// it, once for each of its versions: in one version, they are compiled once.
var shared = []string{
	"k8s.io/", "sigs.k8s.io/", "golang.org/x/", "google.golang.org/grpc", "google.golang.org/protobuf",
	"github.com/prometheus/", "go.opentelemetry.io/", "go.yaml.in/", "github.com/go-logr/",
	"github.com/google/cel-go", "github.com/google/gnostic-models",
}

// exceptions are the libraries that a module has in another version, with the reason.
var exceptions = map[string]map[string]string{}

func TestVersionsAreThoseOfKubernetes(t *testing.T) {
	for _, file := range []string{"go.mod", "test/go.mod", "hack/tools/go.mod", "hack/devcluster/tools/coredns/go.mod"} {
		t.Run(file, func(t *testing.T) {
			compare(t, kubernetes, file, func(library string) bool {
				return slices.ContainsFunc(shared, func(prefix string) bool { return strings.HasPrefix(library, prefix) })
			})
		})
	}
}

// The tests run the operator's packages: with other libraries, they would test another
// program than the one that ships.
func TestTestsHaveTheOperatorsVersions(t *testing.T) {
	compare(t, "go.mod", "test/go.mod", func(string) bool { return true })
}

// compare reports what two modules name in different versions, and exceptions that are
// not needed.
func compare(t *testing.T, wanted, file string, relevant func(library string) bool) {
	t.Helper()
	want, got := versions(t, wanted), versions(t, file)
	compared := 0
	for library, version := range got {
		if want[library] == "" || !relevant(library) {
			continue
		}
		compared++
		reason, excepted := exceptions[file][library]
		switch {
		case version != want[library] && !excepted:
			t.Errorf("%s has %s %s, %s has %s: require the same version, or say in exceptions why not", file, library, version, wanted, want[library])
		case version == want[library] && excepted:
			t.Errorf("%s has %s in the version of %s, so that it needs no exception (%s)", file, library, wanted, reason)
		}
	}
	t.Logf("%d libraries of %s are compared with %s", compared, file, wanted)
	if compared == 0 {
		t.Errorf("%s has no library of %s", file, wanted)
	}
}

// versions are those that a go.mod has the module built with.
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
