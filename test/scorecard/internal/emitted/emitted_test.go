package emitted

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
	"github.com/jobflow-operator/jobflow-operator/test/scorecard/internal/words"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

const fixture = Module + "/test/scorecard/internal/emitted/fixture"

// listFixture asks Go once, which takes seconds.
var listFixture = sync.OnceValues(func() ([]string, error) { return list(".", "./fixture/...") })

func findInFixture(t *testing.T, prefix string) (*Found, error) {
	t.Helper()
	paths, err := listFixture()
	if err != nil {
		t.Fatal(err)
	}
	return find(".", prefix, paths)
}

func TestFindFollowsWordsAndSaysWhere(t *testing.T) {
	found, err := findInFixture(t, fixture)
	if err != nil {
		t.Fatal(err)
	}
	got := map[words.Class][]string{}
	for _, word := range found.Words {
		got[word.Class] = append(got[word.Class], word.Text)
	}
	want := map[words.Class][]string{
		words.Condition: {"ClosureType", "Done", "LiteralType"},
		words.Event:     {"LiteralEvent", "OldEvent", "Started"},
		words.Reason: {
			"Assigned", "ClosureReason", "FunctionLiteral", "FunctionValue", "Generic", "LiteralReason", "LocalConstant",
			"NamedResult", "Positional", "Returned", "Unused", "Variable",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if where := (words.Word{Class: words.Event, Text: "LiteralEvent", At: "fixture/controllers/controllers.go:19"}); !slices.Contains(found.Words, where) {
		t.Errorf("no %v in %v", where, found.Words)
	}
	if len(found.PassedOn) != 2 || found.PassedOn[1] != "k8s.io/api/batch/v1: job.Reason" || !strings.HasSuffix(found.PassedOn[0], "known[run.Name]") {
		t.Errorf("passed on: %q", found.PassedOn)
	}
}

func TestFindRefusesSourcesThatItDoesNotKnow(t *testing.T) {
	if _, err := findInFixture(t, fixture+"/controllers"); err == nil {
		t.Error("no error without the API's package")
	}
}

// What the image tells about a bundle holds for the sources that it is made of.
func TestOperatorsWordsAreDocumented(t *testing.T) {
	found, err := Find(repository.Root())
	if err != nil {
		t.Fatal(err)
	}
	// The reason of a Job that failed, which batch/v1 documents.
	if diff := cmp.Diff([]string{"k8s.io/api/batch/v1: end.Reason"}, found.PassedOn); diff != "" {
		t.Errorf("words that are not the operator's own and reach a status; document where they come from, in docs/status-reference.md too: %s", diff)
	}
	reference, err := words.ParseReference(string(manifests.Read(t, "docs/status-reference.md")))
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range append(words.Undocumented(found.Words, reference), words.Unused(found.Words, reference)...) {
		t.Error(problem)
	}
}
