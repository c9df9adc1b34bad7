// Fuzz runs every fuzz test of a module for a while, and reports what it came to.
// It finds the tests itself: a new one is run without being named anywhere.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/report"
)

func main() {
	module := flag.String("module", ".", "directory of the module whose packages are fuzzed")
	duration := flag.Duration("time", time.Minute, "how long each test is fuzzed")
	flag.Parse()
	if err := run(*module, *duration, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(module string, duration time.Duration, packages []string) error {
	targets, err := find(module, packages)
	if err != nil {
		return err
	}
	if len(targets) == 0 {
		return errors.New("there are no fuzz tests")
	}
	part := report.Part{Name: "fuzz"}
	for _, target := range targets {
		fmt.Printf("--- %s\n", target)
		out, failed := fuzz(module, target, duration)
		found := read(out)
		part.Faults += found.executions
		part.Checks += found.executions
		part.Add(target.String(), found)
		if failed != nil && !timeIsUp(out) {
			fmt.Print(out)
			part.Violations = append(part.Violations, fmt.Sprintf("%s: %s", target, found.complaint(failed)))
		} else if found.executions == 0 {
			// A test that was not run has found nothing, and proves nothing.
			part.Violations = append(part.Violations, fmt.Sprintf("%s: nothing was executed", target))
		}
	}
	if err := part.Write(); err != nil {
		return err
	}
	if len(part.Violations) > 0 {
		return errors.New(strings.Join(part.Violations, "\n"))
	}
	return nil
}

// fuzz runs one test. What it prints is read also where it failed.
func fuzz(module string, t target, duration time.Duration) (string, error) {
	command := exec.Command("go", "test", "-run", "^$", "-fuzz", "^"+t.name+"$", "-fuzztime", duration.String(), t.pkg)
	command.Dir = module
	out, err := command.CombinedOutput()
	return string(out), err
}
