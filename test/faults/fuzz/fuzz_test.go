package main

import (
	"slices"
	"strings"
	"testing"
)

func TestListed(t *testing.T) {
	got, err := listed(strings.NewReader(`{"Action":"start","Package":"m/jobs"}
{"Action":"output","Package":"m/jobs","Output":"FuzzName\n"}
{"Action":"output","Package":"m/jobs","Output":"FuzzMerge\n"}
{"Action":"output","Package":"m/jobs","Output":"ok  \tm/jobs\t0.02s\n"}
{"Action":"output","Package":"m/none","Output":"?   \tm/none\t[no test files]\n"}
`))
	if want := []target{{"m/jobs", "FuzzName"}, {"m/jobs", "FuzzMerge"}}; err != nil || !slices.Equal(got, want) {
		t.Fatalf("listed %v, %v; want %v", got, err, want)
	}
	if _, err := listed(strings.NewReader("FAIL\tm/jobs [build failed]\n")); err == nil {
		t.Fatal("a failed build passes for a list")
	}
}

func TestRead(t *testing.T) {
	passed := `fuzz: elapsed: 0s, gathering baseline coverage: 0/40 completed
fuzz: elapsed: 3s, execs: 17 (5/sec), new interesting: 1 (total: 38)
fuzz: elapsed: 6s, execs: 1234 (405/sec), new interesting: 3 (total: 40)
PASS
`
	if got, want := read(passed), (result{executions: 1234, interesting: 40}); got != want {
		t.Errorf("read %+v, want %+v", got, want)
	}
	failed := passed + "--- FAIL: FuzzName (6.02s)\n    Failing input written to testdata/fuzz/FuzzName/0a1b\n"
	if got := read(failed).failure; got != "testdata/fuzz/FuzzName/0a1b" {
		t.Errorf("the failing input is %q", got)
	}
}
