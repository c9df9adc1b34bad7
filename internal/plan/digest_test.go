package plan_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

func TestDigest(t *testing.T) {
	cases := map[string]struct {
		digest  plan.Digest
		has     []string
		hasNot  []string
		wantLen int
	}{
		"empty":                    {digest: nil, hasNot: []string{"n1", ""}},
		"one":                      {digest: plan.Digest(nil).With([]string{"n1"}), has: []string{"n1"}, hasNot: []string{"n2", ""}, wantLen: 1},
		"several":                  {digest: plan.Digest(nil).With([]string{"n3", "n1", "n2"}), has: []string{"n1", "n2", "n3"}, hasNot: []string{"n4"}, wantLen: 3},
		"a name given twice":       {digest: plan.Digest(nil).With([]string{"n1", "n1"}), has: []string{"n1"}, wantLen: 1},
		"a name that is there":     {digest: plan.Digest(nil).With([]string{"n1", "n2"}).With([]string{"n1"}), has: []string{"n1", "n2"}, wantLen: 2},
		"nothing more":             {digest: plan.Digest(nil).With([]string{"n1"}).With(nil), has: []string{"n1"}, wantLen: 1},
		"grown in several strides": {digest: plan.Digest(nil).With([]string{"n2"}).With([]string{"n1"}).With([]string{"n3"}), has: []string{"n1", "n2", "n3"}, wantLen: 3},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.digest.Len(); got != c.wantLen {
				t.Errorf("length %d, want %d", got, c.wantLen)
			}
			for _, name := range c.has {
				if !c.digest.Has(name) {
					t.Errorf("%q is missing", name)
				}
			}
			for _, name := range c.hasNot {
				if c.digest.Has(name) {
					t.Errorf("%q is in it", name)
				}
			}
		})
	}
}

func TestDigestIsASet(t *testing.T) {
	names := rapid.SliceOf(rapid.StringMatching(`[a-z0-9.-]{1,8}`))
	rapid.Check(t, func(t *rapid.T) {
		first, second := names.Draw(t, "first"), names.Draw(t, "second")
		before := plan.Digest(nil).With(first)
		kept := slices.Clone(before)
		after := before.With(second)

		in := map[string]bool{}
		for _, name := range slices.Concat(first, second) {
			in[name] = true
		}
		if after.Len() != len(in) {
			t.Fatalf("%d names, want %d", after.Len(), len(in))
		}
		for name := range in {
			if !after.Has(name) {
				t.Fatalf("%q is missing", name)
			}
		}
		if other := names.Filter(func(l []string) bool { return len(l) == 1 && !in[l[0]] }).Draw(t, "other"); after.Has(other[0]) {
			t.Fatalf("%q is in it", other[0])
		}
		if !slices.Equal(kept, before) {
			t.Fatal("With changed the digest that it was called on")
		}
		if diff := cmp.Diff(after, plan.Digest(nil).With(slices.Concat(second, first)), cmp.Transformer("bytes", func(d plan.Digest) []byte { return d })); diff != "" {
			t.Fatalf("the order of the names matters:\n%s", diff)
		}
	})
}

func TestDigestOfFiveThousandNodesFitsAnObject(t *testing.T) {
	var names []string
	for i := range 5000 {
		names = append(names, fmt.Sprintf("node-%d.example.com", i))
	}
	d := plan.Digest(nil).With(names)
	if d.Len() != len(names) || len(d) > 30_000 {
		t.Errorf("%d names in %d bytes", d.Len(), len(d))
	}
}
