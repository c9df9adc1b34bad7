package main

import (
	"slices"
	"testing"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/report"
)

func TestIncomplete(t *testing.T) {
	tests := []string{"crash", "misuse"}
	for name, c := range map[string]struct {
		parts []report.Part
		want  []string
	}{
		"all have reported":       {[]report.Part{{Name: "crash", Checks: 1}, {Name: "misuse/JobFlow", Checks: 1}}, nil},
		"one has not":             {[]report.Part{{Name: "crash", Checks: 1}, {Name: "misuses", Checks: 1}}, []string{"misuse has not reported"}},
		"one has checked nothing": {[]report.Part{{Name: "crash"}, {Name: "misuse/JobFlow", Checks: 1}}, []string{"crash has checked nothing"}},
		"none has":                {nil, []string{"crash has not reported", "misuse has not reported"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := incomplete(c.parts, tests); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
