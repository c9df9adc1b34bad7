// Package cli runs command-line programs as a user would, and logs what they print.
package cli

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// Output is what a program printed.
type Output struct {
	Stdout, Stderr string
	// Failed is true if the exit code of the program is not 0.
	Failed bool
}

// Kubectl runs the kubectl in PATH, which make puts there.
func Kubectl(ctx context.Context, arguments ...string) Output {
	GinkgoHelper()
	return Run(ctx, "", "kubectl", arguments...)
}

// KubectlWith runs kubectl with a standard input.
func KubectlWith(ctx context.Context, stdin string, arguments ...string) Output {
	GinkgoHelper()
	return Run(ctx, stdin, "kubectl", arguments...)
}

// Run runs a program. The spec fails if the program cannot be started, but not if it exits with
// an error.
func Run(ctx context.Context, stdin, program string, arguments ...string) Output {
	GinkgoHelper()
	command := exec.CommandContext(ctx, program, arguments...)
	var stdout, stderr strings.Builder
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		Fail("Cannot run " + program + ", which the make target of these tests provides: " + err.Error())
	}
	GinkgoWriter.Printf("  $ %s %s\n%s", filepath.Base(program), strings.Join(arguments, " "), Indent(stdout.String()+stderr.String()))
	return Output{Stdout: stdout.String(), Stderr: stderr.String(), Failed: err != nil}
}

// Succeeded fails the spec if the program failed.
func (o Output) Succeeded() Output {
	GinkgoHelper()
	Expect(o.Failed).To(BeFalse(), "the command failed: %s", o.Stderr)
	return o
}

// Indent indents text, to show that it is the output of the line above it.
func Indent(text string) string {
	if text == "" {
		return ""
	}
	return "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
}
