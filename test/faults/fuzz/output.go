package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// result is what go test -fuzz said of one test.
type result struct {
	// executions are the inputs that were tried; interesting those of them that
	// reached code which the others did not, now and in runs before.
	executions, interesting int
	failure                 string
}

// As in "fuzz: elapsed: 10s, execs: 123456 (12345/sec), new interesting: 3 (total: 40)".
var (
	executions  = regexp.MustCompile(`^fuzz: elapsed: .*, execs: (\d+) .*\(total: (\d+)\)`)
	failingFile = regexp.MustCompile(`Failing input written to (\S+)`)
)

// timeIsUp tells whether a run failed for nothing but the end of its time: before Go
// 1.27 the coordinator of fuzzing sometimes takes its own deadline for a failure
// (go.dev/issue/75804). What a test finds is written to a file, or says more than this.
func timeIsUp(output string) bool {
	return deadline.MatchString(output) && !failingFile.MatchString(output)
}

var deadline = regexp.MustCompile(`(?m)^--- FAIL: Fuzz\w+ \(.*\)\n    context deadline exceeded\nFAIL$`)

// read takes the last count: each line counts from the start.
func read(output string) result {
	var r result
	for line := range strings.Lines(output) {
		if found := executions.FindStringSubmatch(line); found != nil {
			r.executions, _ = strconv.Atoi(found[1]) // it is digits
			r.interesting, _ = strconv.Atoi(found[2])
		}
		if found := failingFile.FindStringSubmatch(line); found != nil {
			r.failure = found[1]
		}
	}
	return r
}

func (r result) String() string {
	return fmt.Sprintf("%d executions, %d inputs that differ in what they reach", r.executions, r.interesting)
}

// complaint says where the input is that fails, if there is one.
func (r result) complaint(err error) string {
	if r.failure != "" {
		return "fails with the input " + r.failure
	}
	return err.Error()
}
