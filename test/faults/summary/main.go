// Summary prints what the fault tests have tried and found. It fails if an invariant
// was broken, and if one of the tests that are named has not reported or has checked
// nothing.
package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/report"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: summary DIRECTORY TEST...")
		os.Exit(2)
	}
	parts, err := report.Read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	violations, err := write(os.Stdout, parts)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	silent := incomplete(parts, os.Args[2:])
	for _, why := range silent {
		fmt.Println(why)
	}
	if err != nil || violations > 0 || len(silent) > 0 {
		os.Exit(1)
	}
}

// incomplete says what is missing for the parts to tell anything. A test that is named
// reports as one part, or as several below its name.
func incomplete(parts []report.Part, tests []string) []string {
	var missing []string
	for _, test := range tests {
		if !slices.ContainsFunc(parts, func(p report.Part) bool { return p.Name == test || strings.HasPrefix(p.Name, test+"/") }) {
			missing = append(missing, test+" has not reported")
		}
	}
	for i := range parts {
		if parts[i].Checks == 0 {
			missing = append(missing, parts[i].Name+" has checked nothing")
		}
	}
	return missing
}

func write(out io.Writer, parts []report.Part) (violations int, err error) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "faults\tchecks\tviolations\t  part")
	var faults, checks int
	for i := range parts {
		p := &parts[i]
		faults, checks, violations = faults+p.Faults, checks+p.Checks, violations+len(p.Violations)
		fmt.Fprintf(w, "%d\t%d\t%d\t  %s\n", p.Faults, p.Checks, len(p.Violations), p.Name)
	}
	fmt.Fprintf(w, "%d\t%d\t%d\t  in all\n", faults, checks, violations)
	if err := w.Flush(); err != nil {
		return violations, err
	}
	for i := range parts {
		if p := &parts[i]; len(p.Figures)+len(p.Violations) > 0 {
			p.Print(out)
		}
	}
	return violations, nil
}
