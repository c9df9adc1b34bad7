package placement

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/sets"
)

// An exclude list is a set of names: whitespace, order and empty entries have no meaning,
// and every name comes from the list.
func FuzzExcluded(f *testing.F) {
	for _, list := range []string{
		"", "minikube", " n0 ,\tn1 ", "n0,n0,,n0", ",,,", "n0;n1", "n0\nn1", "ip-10-0-0-1.ec2.internal,N2", "\u00a0n0,n1\u2003", "\xff,\xfe",
	} {
		f.Add(list, "n0,n9")
	}
	f.Fuzz(func(t *testing.T, list, more string) {
		names := Excluded(list)
		for name := range names {
			if name == "" || strings.TrimSpace(name) != name || strings.Contains(name, ",") || !strings.Contains(list, name) {
				t.Fatalf("%q gives the name %q", list, name)
			}
		}
		if entries := strings.Count(list, ",") + 1; names.Len() > entries {
			t.Fatalf("%d entries give %d names", entries, names.Len())
		}
		backwards := sets.List(names)
		slices.Reverse(backwards)
		if again := Excluded(strings.Join(backwards, " , ")); !again.Equal(names) {
			t.Fatalf("%v in another order gives %v", names, again)
		}
		if both := Excluded(list + "," + more); !both.Equal(names.Union(Excluded(more))) {
			t.Fatalf("%q and %q together give %v", list, more, both)
		}
	})
}
