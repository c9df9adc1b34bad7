package olm

import (
	"context"
	"errors"
	"os/exec"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// output is what a kubectl command printed.
type output struct {
	stdout, stderr string
	failed         bool
}

// kubectl runs it as a person would.
func kubectl(ctx context.Context, arguments ...string) output {
	GinkgoHelper()
	return kubectlWith(ctx, "", arguments...)
}

// kubectlWith runs it with a standard input.
func kubectlWith(ctx context.Context, stdin string, arguments ...string) output {
	GinkgoHelper()
	command := exec.CommandContext(ctx, "kubectl", arguments...)
	var stdout, stderr strings.Builder
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		Fail("running kubectl, which make test-olm puts into PATH: " + err.Error())
	}
	result := output{stdout: stdout.String(), stderr: stderr.String(), failed: err != nil}
	GinkgoWriter.Printf("  $ kubectl %s\n%s", strings.Join(arguments, " "), indent(result.stdout+result.stderr))
	return result
}

// succeeded is the output, of which nothing else is expected than success.
func (o output) succeeded() output {
	GinkgoHelper()
	Expect(o.failed).To(BeFalse(), "kubectl failed: %s", o.stderr)
	return o
}

func indent(text string) string {
	if text == "" {
		return ""
	}
	return "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
}
