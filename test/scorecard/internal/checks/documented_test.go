package checks

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"

	"github.com/jobflow-operator/jobflow-operator/test/scorecard/internal/words"
)

const reference = "## Conditions\n| `Done` |\n## OperatorCondition\n| `Calm` |\n## Reasons\n| `Slow` |\n| `Gone` |\n## Events\n| `Started` |\n"

func TestWordsDocumented(t *testing.T) {
	const name = "jobflow-words-documented"
	known := []words.Word{
		{Class: words.Condition, Text: "Done", At: "a.go:1"},
		{Class: words.Condition, Text: "Calm", At: "a.go:1"},
		{Class: words.Reason, Text: "Slow", At: "a.go:2"},
		{Class: words.Reason, Text: "Gone", At: "a.go:2"},
		{Class: words.Event, Text: "Started", At: "a.go:3"},
	}
	for scenario, tc := range map[string]struct {
		edits   []edit
		more    []words.Word
		without string
		want    v1alpha3.TestResult
	}{
		"all is documented": {want: pass(name)},
		"a reason that code has and the reference has not": {
			more: []words.Word{{Class: words.Reason, Text: "New", At: "b.go:7"}},
			want: fail(name, "b.go:7: the reason \"New\" is not in docs/status-reference.md; add a row that begins with | `New` | under \"## Reasons\""),
		},
		"an event that the reference has as a reason": {
			more: []words.Word{{Class: words.Event, Text: "Slow", At: "b.go:8"}},
			want: fail(name, "b.go:8: the event \"Slow\" is not in docs/status-reference.md; add a row that begins with | `Slow` | under \"## Events\""),
		},
		"a row that no code needs": {
			without: "Slow",
			want: v1alpha3.TestResult{Name: name, State: v1alpha3.PassState, Suggestions: []string{
				`docs/status-reference.md, ## Reasons: no code writes the reason "Slow"; remove its row`,
			}},
		},
		"a condition that the CSV does not name, though it has its letters": {
			edits: []edit{{csvFile, "Done when", "UnDone when"}},
			want: fail(name, csvFile+": spec.customresourcedefinitions.owned[0].statusDescriptors[0].description: "+
				"the condition Done of Thing is not named; say in config/manifests/bases what it means"),
		},
		"conditions that the CSV does not describe": {
			edits: []edit{{csvFile, "path: conditions", "path: state"}},
			want: fail(name, csvFile+": spec.customresourcedefinitions.owned[].statusDescriptors: none has the path conditions; "+
				"describe it in config/manifests/bases"),
		},
	} {
		t.Run(scenario, func(t *testing.T) {
			var emitted []words.Word
			for _, word := range append(known, tc.more...) {
				if word.Text != tc.without {
					emitted = append(emitted, word)
				}
			}
			got := run(t, name, &Environment{
				Bundle: load(t, bundleWith(t, tc.edits...)), Version: "v1.2.3",
				EmittedFile: writeJSON(t, emitted), ReferenceFile: writeFile(t, []byte(reference)),
			})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWordsDocumentedCannotTell(t *testing.T) {
	good := Environment{
		Bundle: load(t, bundleWith(t)), Version: "v1.2.3",
		EmittedFile:   writeJSON(t, []words.Word{{Class: words.Condition, Text: "Done"}}),
		ReferenceFile: writeFile(t, []byte(reference)),
	}
	for scenario, tc := range map[string]struct {
		spoil func(*Environment)
		want  string
	}{
		"a bundle of another version":        {func(e *Environment) { e.Version = "v1.2.4" }, "give the tests the image of the bundle's version"},
		"an image without words":             {func(e *Environment) { e.EmittedFile += "-missing" }, "lacks the code's words"},
		"an image whose list is empty":       {func(e *Environment) { e.EmittedFile = writeJSON(t, nil) }, "has no words"},
		"an image without the reference":     {func(e *Environment) { e.ReferenceFile += "-missing" }, "lacks docs/status-reference.md"},
		"a reference without the section":    {func(e *Environment) { e.ReferenceFile = writeFile(t, []byte("# Nothing")) }, "no table under"},
		"a list of words that is not a list": {func(e *Environment) { e.EmittedFile = e.ReferenceFile }, "the code's words"},
	} {
		t.Run(scenario, func(t *testing.T) {
			env := good
			tc.spoil(&env)
			got := run(t, "jobflow-words-documented", &env)
			if got.State != v1alpha3.ErrorState || len(got.Errors) != 1 || !strings.Contains(got.Errors[0], tc.want) {
				t.Errorf("not an error that says %q: %v", tc.want, got)
			}
		})
	}
}
