package apitypes

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseComment(t *testing.T) {
	for name, tc := range map[string]struct {
		doc  string
		want Comment
	}{
		"all": {
			"size is how large it is. 0 is nothing. Default: 1. May change at any time.",
			Comment{Meaning: []string{"size is how large it is.", "0 is nothing."}, Default: "1", Changes: "at any time"},
		},
		"immutable":             {"size is large. Immutable.", Comment{Meaning: []string{"size is large."}, Changes: "no"}},
		"immutable, in general": {"Immutable, except size.", Comment{Changes: "no, except size"}},
		"an abbreviation":       {"It has a size, e.g. two. Default: none.", Comment{Meaning: []string{"It has a size, e.g. two."}, Default: "none"}},
		"nothing":               {"", Comment{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, ParseComment(tc.doc)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWithoutName(t *testing.T) {
	for sentence, want := range map[string]string{
		"flows are the steps.":          "The steps.",
		"flows is a list.":              "A list.",
		"flows holds the steps.":        "Holds the steps.",
		"flowsome is another field.":    "flowsome is another field.",
		"Specifies how many there are.": "Specifies how many there are.",
	} {
		if got := WithoutName("flows", sentence); got != want {
			t.Errorf("%q became %q instead of %q", sentence, got, want)
		}
	}
}
