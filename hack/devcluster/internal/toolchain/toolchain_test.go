package toolchain

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVersionComesFromGoMod(t *testing.T) {
	source, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	tools := New(source, t.TempDir(), nil)
	for _, s := range sets {
		for p := range s.packages {
			version, err := tools.Version(p)
			if err != nil || !strings.HasPrefix(version, "v") {
				t.Errorf("%s: %q, %v", p, version, err)
			}
		}
	}
	if _, err := tools.Version("nosuch"); err == nil {
		t.Error("a program that is in no set has a version")
	}
}

func TestKubernetesReportsItsVersion(t *testing.T) {
	flags := strings.Join(kubernetesVersionFlags("v1.37.2"), " ")
	for _, want := range []string{
		"k8s.io/component-base/version.gitVersion=v1.37.2",
		"k8s.io/component-base/version.gitMajor=1",
		"k8s.io/component-base/version.gitMinor=37",
		"k8s.io/client-go/pkg/version.gitVersion=v1.37.2",
	} {
		if !strings.Contains(flags, want) {
			t.Errorf("%s is missing in %s", want, flags)
		}
	}
}

func TestBuildIsForThisMachine(t *testing.T) {
	env := buildEnv([]string{"HOME=/h", "GOOS=plan9", "GOFLAGS=-mod=vendor", "GOPROXY=p"})
	for _, bad := range []string{"GOOS=plan9", "GOFLAGS=-mod=vendor"} {
		if slices.Contains(env, bad) {
			t.Errorf("%s leaked into the build", bad)
		}
	}
	for _, good := range []string{"HOME=/h", "GOPROXY=p", "CGO_ENABLED=0"} {
		if !slices.Contains(env, good) {
			t.Errorf("%s is missing", good)
		}
	}
}

func TestKilledBuildIsClearedAway(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{buildPrefix + "123/etcd", "kubectl/x"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	removeStale(dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{"kubectl"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCompileLogKeepsErrorsAndCountsPackages(t *testing.T) {
	l := &compileLog{compiled: new(counter)}
	for _, chunk := range []string{"k8s.io/api\nk8s.io/cli", "ent-go\ngo: downloading x v1\nfoo.go:1:2: undefined: bar\n"} {
		if _, err := l.Write([]byte(chunk)); err != nil {
			t.Fatal(err)
		}
	}
	if n := l.compiled.Load(); n != 2 {
		t.Errorf("%d packages, want 2", n)
	}
	if tail := l.tail(); !strings.Contains(tail, "undefined: bar") || strings.Contains(tail, "downloading") {
		t.Errorf("tail %q", tail)
	}
}
