package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// event is a line of "go test -json"; see "go doc test2json".
type event struct {
	Action     string
	Package    string
	ImportPath string // of the package that is being built
	Test       string
	Elapsed    float64 // seconds
	Output     string
}

const (
	slowest = 5
	// A test that takes less than this is not listed, even if it is among the slowest.
	slow = time.Second
)

type timing struct {
	test string
	took time.Duration
}

type log struct {
	out io.Writer
	now func() time.Time

	running                 map[string]time.Time // the start of each package that has not ended
	current                 map[string]string    // the test that each package started last
	output                  map[string][]string  // by package and test, until the test ends
	builds                  map[string][]string  // output of the compiler, by package
	times                   []timing
	passed, failed, skipped int
}

func newLog(out io.Writer, now func() time.Time) *log {
	return &log{
		out: out, now: now,
		running: map[string]time.Time{}, current: map[string]string{},
		output: map[string][]string{}, builds: map[string][]string{},
	}
}

func (l *log) add(line []byte) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil || e.Action == "" {
		// The go command does not report downloads and errors in go.mod as JSON.
		fmt.Fprintf(l.out, "%s\n", line)
		return
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "start":
		l.running[e.Package] = l.now()
	case "run":
		l.current[e.Package] = e.Test
	case "build-output":
		l.builds[e.ImportPath] = append(l.builds[e.ImportPath], e.Output)
	case "build-fail":
		fmt.Fprint(l.out, strings.Join(l.builds[e.ImportPath], ""))
		delete(l.builds, e.ImportPath)
	case "output":
		l.output[key] = append(l.output[key], e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			l.endPackage(e)
		} else {
			l.endTest(e)
		}
	}
}

func (l *log) endTest(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "pass":
		l.passed++
	case "skip":
		l.skipped++
	case "fail":
		l.failed++
		fmt.Fprint(l.out, strings.Join(l.output[key], ""))
	}
	delete(l.output, key)
	// The time of a test includes its subtests: only the subtests are listed.
	took := time.Duration(e.Elapsed * float64(time.Second))
	if took >= slow {
		l.times = slices.DeleteFunc(l.times, func(t timing) bool { return strings.HasPrefix(e.Package+" "+e.Test+"/", t.test+"/") })
		if !slices.ContainsFunc(l.times, func(t timing) bool { return strings.HasPrefix(t.test, e.Package+" "+e.Test+"/") }) {
			l.times = append(l.times, timing{e.Package + " " + e.Test, took})
		}
	}
}

func (l *log) endPackage(e event) {
	delete(l.running, e.Package)
	lines := l.output[e.Package+" "]
	delete(l.output, e.Package+" ")
	if e.Action == "fail" {
		// If a panic or a timeout ends the package, its running tests never end: print their output.
		for _, key := range slices.Sorted(maps.Keys(l.output)) {
			if strings.HasPrefix(key, e.Package+" ") {
				lines = append(l.output[key], lines...)
				delete(l.output, key)
			}
		}
		fmt.Fprint(l.out, strings.Join(lines, ""))
		if l.failed == 0 || len(lines) == 0 {
			l.failed++
		}
		return
	}
	// The last line has "ok", the package and its time. Ginkgo suites print "slow" lines.
	for _, line := range lines {
		if strings.HasPrefix(line, "ok ") || strings.HasPrefix(line, "slow ") {
			fmt.Fprint(l.out, line)
		}
	}
}

// progress prints the packages that are still running.
func (l *log) progress() {
	for _, name := range slices.Sorted(maps.Keys(l.running)) {
		fmt.Fprintf(l.out, "... %s: %s so far, at %s\n", name, l.now().Sub(l.running[name]).Round(time.Second), cmp.Or(l.current[name], "its start"))
	}
}

// summarize prints the slowest tests, in lines that .ci/run finds by their first word, and
// the number of tests by result.
func (l *log) summarize() {
	slices.SortFunc(l.times, func(a, b timing) int { return cmp.Compare(b.took, a.took) })
	for _, t := range l.times[:min(slowest, len(l.times))] {
		fmt.Fprintf(l.out, "slow %6.1fs %s\n", t.took.Seconds(), t.test)
	}
	fmt.Fprintf(l.out, "%d passed, %d failed, %d skipped\n", l.passed, l.failed, l.skipped)
}
