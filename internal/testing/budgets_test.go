package testing_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
)

// The maximum sums of the budgets of the stages of .ci/run. Six more minutes are reserved for
// suites that are still to come: see CONTRIBUTING.md.
const (
	longestWarm = 24 * time.Minute
	longestCold = 60 * time.Minute
)

func TestBudgetsOfCI(t *testing.T) {
	content, err := os.ReadFile(repository.Path(".ci/budgets"))
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile(repository.Path("Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	var warm, cold time.Duration
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var stage string
		var warmSeconds, coldSeconds int
		if _, err := fmt.Sscan(line, &stage, &warmSeconds, &coldSeconds); err != nil {
			t.Errorf("%q is not a stage and two budgets in seconds: %v", strings.TrimSpace(line), err)
			continue
		}
		if !strings.Contains(string(makefile), "\n"+stage+":") {
			t.Errorf("make has no target %s", stage)
		}
		warm += time.Duration(warmSeconds) * time.Second
		cold += time.Duration(coldSeconds) * time.Second
	}
	if warm == 0 || warm > longestWarm || cold > longestCold {
		t.Errorf("the stages may take %s with warm caches and %s from empty ones, of at most %s and %s", warm, cold, longestWarm, longestCold)
	}
}
