package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
)

// scorecard is how operator-sdk is called.
type scorecard struct {
	program, namespace, account, untar string
	wait                               time.Duration
}

// run is one run over a bundle. That tests fail is no error.
func (s *scorecard) run(bundle, selector string) (*v1alpha3.TestList, error) {
	args := []string{
		"scorecard", bundle, "--output", "json", "--pod-security", "restricted", "--wait-time", s.wait.String(),
		"--namespace", s.namespace, "--service-account", s.account, "--selector", selector,
	}
	if s.untar != "" {
		args = append(args, "--untar-image", s.untar)
	}
	command := exec.Command(s.program, args...)
	command.Stderr = os.Stderr
	output, err := command.Output()
	var list v1alpha3.TestList
	decoder := json.NewDecoder(bytes.NewReader(output))
	if decodeErr := decoder.Decode(&list); decodeErr != nil {
		return nil, fmt.Errorf("operator-sdk %s: %w", strings.Join(args, " "), errors.Join(err, decodeErr))
	}
	return &list, nil
}

// printTable leaves the logs out: some are CRDs in full.
func printTable(to io.Writer, list *v1alpha3.TestList) {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SUITE\tTEST\tSTATE")
	for _, test := range list.Items {
		for _, result := range test.Status.Results {
			fmt.Fprintf(table, "%s\t%s\t%s\n", test.Spec.Labels["suite"], test.Spec.Labels["test"], result.State)
		}
	}
	_ = table.Flush()
	for _, test := range list.Items {
		for _, result := range test.Status.Results {
			for _, text := range result.Errors {
				fmt.Fprintf(to, "%s: %s\n", test.Spec.Labels["test"], text)
			}
			for _, text := range result.Suggestions {
				fmt.Fprintf(to, "%s: suggestion: %s\n", test.Spec.Labels["test"], text)
			}
		}
	}
}

// byTest are the results by the label of their test.
func byTest(list *v1alpha3.TestList) map[string][]v1alpha3.TestResult {
	results := map[string][]v1alpha3.TestResult{}
	for _, test := range list.Items {
		label := test.Spec.Labels["test"]
		results[label] = append(results[label], test.Status.Results...)
	}
	return results
}

// allPass says which of the tests did not.
func allPass(tests []v1alpha3.TestConfiguration, list *v1alpha3.TestList) error {
	var problems []error
	results := byTest(list)
	for _, test := range tests {
		label := test.Labels["test"]
		if len(results[label]) == 0 {
			problems = append(problems, fmt.Errorf("%s has not run", label))
		}
		for _, result := range results[label] {
			if result.State != v1alpha3.PassState || len(result.Errors) > 0 || len(result.Suggestions) > 0 {
				problems = append(problems, fmt.Errorf("%s is %q with %d errors and %d suggestions",
					label, result.State, len(result.Errors), len(result.Suggestions)))
			}
		}
	}
	return errors.Join(problems...)
}
