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

func TestTimeIsUp(t *testing.T) {
	// As go test printed it in CI.
	deadline := `fuzz: elapsed: 9s, execs: 46378 (6176/sec), new interesting: 23 (total: 84)
fuzz: elapsed: 10s, execs: 52670 (5765/sec), new interesting: 24 (total: 85)
--- FAIL: FuzzExcluded (10.11s)
    context deadline exceeded
FAIL
exit status 1
FAIL	example.com/internal/placement	10.125s
`
	if !timeIsUp(deadline) {
		t.Error("the end of the time is a failure")
	}
	for name, output := range map[string]string{
		"an input was found": strings.Replace(deadline, "    context deadline exceeded\n",
			"    context deadline exceeded\n    Failing input written to testdata/fuzz/FuzzExcluded/0a1b\n", 1),
		"a test says more": strings.Replace(deadline, "    context deadline", "    fuzz_test.go:9: context deadline", 1),
		"a test hung":      strings.Replace(deadline, "context deadline exceeded", "fuzzing process hung or terminated unexpectedly", 1),
	} {
		if timeIsUp(output) {
			t.Errorf("%s, and it passes", name)
		}
	}
}
