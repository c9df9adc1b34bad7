package observability_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

// alertCases is the file of cases for promtool.
const alertCases = "test/observability/testdata/alerts_test.yaml"

// promtool is Prometheus' own. PROMTOOL says where it is.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path := os.Getenv("PROMTOOL")
	if path == "" {
		t.Fatal("PROMTOOL is not set: run these tests with make test-observability, which builds promtool")
	}
	output, err := exec.Command(path, args...).CombinedOutput()
	t.Logf("promtool %v:\n%s", args, output)
	if err != nil {
		t.Error(err)
	}
}

func TestRules(t *testing.T) {
	_, rules := loadRules(t)
	cases := manifests.Read(t, alertCases)
	// The cases name the rule file beside them.
	dir := t.TempDir()
	for name, content := range map[string][]byte{"rules.yaml": rules, "alerts_test.yaml": cases} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("check", func(t *testing.T) {
		promtool(t, "check", "rules", "--lint=all", "--lint-fatal", filepath.Join(dir, "rules.yaml"))
	})
	t.Run("cases", func(t *testing.T) {
		promtool(t, "test", "rules", filepath.Join(dir, "alerts_test.yaml"))
	})
}
