package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTable(t *testing.T) {
	lines, failed, err := read(strings.NewReader(`goos: linux
BenchmarkCore/plan/flow_ends/10-2     20    1700 ns/op    1000 cpu-ns/op   10 B/op    20 allocs/op
BenchmarkCore/plan/flow_ends/1000-2   20  260000 ns/op  250000 cpu-ns/op  100 B/op  1500 allocs/op
PASS
`))
	if err != nil || failed {
		t.Fatalf("failed %t, %v", failed, err)
	}
	var out strings.Builder
	if err := write(&out, lines); err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for row := range strings.Lines(out.String()) {
		got = append(got, strings.Fields(row))
	}
	want := []string{"100", "250", "2.50", "2.0", "1.5", "plan/flow", "ends"}
	if len(got) != 2 || !cmp.Equal(got[1], want) {
		t.Errorf("got %v, want a header and %v", got, want)
	}
}

func TestFailure(t *testing.T) {
	if _, failed, err := read(strings.NewReader("--- FAIL: BenchmarkCore\nFAIL\n")); !failed || err != nil {
		t.Errorf("failed %t, %v; want a failure", failed, err)
	}
}
