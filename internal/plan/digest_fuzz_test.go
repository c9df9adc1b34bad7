package plan

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// A digest has every name that was put in, in whatever order and however often.
// A damaged one does no harm.
func FuzzDigest(f *testing.F) {
	f.Add([]byte(nil), "n0,n1", "n2")
	f.Add([]byte("five."), "n0", "n0,n0")
	f.Add([]byte("two times six"), "", "ip-10-0-0-1.ec2.internal")
	f.Fuzz(func(t *testing.T, damaged []byte, one, other string) {
		Digest(damaged).Has(one)
		Digest(damaged).With(strings.Split(one, ","))

		names, more := strings.Split(one, ","), strings.Split(other, ",")
		first := Digest(nil).With(names)
		kept := bytes.Clone(first)
		both := first.With(more)
		if !bytes.Equal(kept, first) {
			t.Fatal("adding names changed the digest that they were added to")
		}
		for _, name := range slices.Concat(names, more) {
			if !both.Has(name) {
				t.Fatalf("the name %q is forgotten", name)
			}
		}
		if both.Len() > len(names)+len(more) || len(both)%digestSize != 0 {
			t.Fatalf("%d and %d names take %d bytes", len(names), len(more), len(both))
		}
		if again := Digest(nil).With(more).With(names).With(more); !bytes.Equal(again, both) {
			t.Fatal("another order gives another digest")
		}
	})
}
