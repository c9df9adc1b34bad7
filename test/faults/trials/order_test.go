package trials

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
)

// TestOrder checks that, with any seed, each scenario gets a trial in each of its modes before
// any gets a second one, and that no crash is missing.
func TestOrder(t *testing.T) {
	const writes, events = 5, 2
	var all []trial
	crashes := 0
	runs := inPeace(regexp.MustCompile(""))
	for _, peace := range runs {
		all = append(all, trialsOf(&peace, writes, events)...)
		crashes += 2*writes + 2 // before and after each write, and two crash loops
	}
	ordered, first := order(thin(slices.Clone(all)))
	if first != len(runs) {
		t.Errorf("%d trials come first, of %d scenarios and modes", first, len(runs))
	}
	places, moments := map[string]bool{}, map[string]int{}
	for i := range ordered {
		trial := &ordered[i]
		if i < first && places[trial.place()] {
			t.Errorf("number %d of the first %d is the second of %s", i+1, first, trial.place())
		}
		places[trial.place()] = true
		if trial.moment {
			moments[trial.place()+trial.kind]++
		}
		if regexp.MustCompile("^killed ").MatchString(trial.fault) {
			crashes--
		}
	}
	if crashes != 0 {
		t.Errorf("%d crashes are missing", crashes)
	}
	for kind, n := range moments {
		if n > *momentsEach {
			t.Errorf("%s: %d moments, wanted at most %d", kind, n, *momentsEach)
		}
	}
}

// TestAgain checks that the command that a failure prints repeats that trial and no other.
func TestAgain(t *testing.T) {
	only := regexp.MustCompile(`-only "(.*)"'$`)
	for n, peace := range inPeace(regexp.MustCompile("")) {
		writes := 1
		if n == 0 {
			writes = 12 // "write 1" is a prefix of "write 12"
		}
		trials := append(trialsOf(&peace, writes, 0), peace)
		for i := range trials {
			found := only.FindStringSubmatch(again(&trials[i]))
			if found == nil || slices.Contains([]byte(found[1]), '\'') {
				t.Fatalf("no shell takes %s", again(&trials[i]))
			}
			names := []string{}
			for _, match := range matching(slices.Clone(trials), regexp.MustCompile(found[1])) {
				names = append(names, match.name())
			}
			if want := []string{trials[i].name()}; !slices.Equal(names, want) {
				t.Errorf("%s repeats %q", again(&trials[i]), fmt.Sprint(names))
			}
		}
	}
}
