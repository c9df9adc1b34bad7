// Package report gathers what each part of the fault tests has tried and found, for
// the summary at the end of "make test-faults".
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// DirVariable names the directory that the parts are written to. Without it they
// are printed only: a test that is run by itself says what it has to say in its own output.
const DirVariable = "FAULTS_REPORT"

// Part is what one test has come to.
type Part struct {
	// Name is unique among the parts, and sorts them.
	Name string `json:"name"`
	// Faults are how many were injected, Checks how many times an invariant was
	// checked.
	Faults int `json:"faults"`
	Checks int `json:"checks"`
	// Violations say what was found to be broken; empty is what is wanted.
	Violations []string `json:"violations,omitempty"`
	// Figures are what else is worth knowing, in the order in which to show it.
	Figures []Figure `json:"figures,omitempty"`
}

// Figure is one measured value.
type Figure struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Add appends a figure.
func (p *Part) Add(name string, value any) {
	p.Figures = append(p.Figures, Figure{name, fmt.Sprint(value)})
}

// Print prints what the part has measured and what was broken.
func (p *Part) Print(out io.Writer) {
	fmt.Fprintf(out, "\n%s\n", p.Name)
	for _, figure := range p.Figures {
		fmt.Fprintf(out, "  %s: %s\n", figure.Name, figure.Value)
	}
	for _, violation := range p.Violations {
		fmt.Fprintf(out, "  VIOLATION: %s\n", violation)
	}
}

// Write prints what the part has come to, and keeps it for the summary.
func (p *Part) Write() error {
	p.Print(os.Stdout)
	fmt.Printf("%s: %d faults, %d checks, %d violations\n", p.Name, p.Faults, p.Checks, len(p.Violations))
	dir := os.Getenv(DirVariable)
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	content, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, strings.ReplaceAll(p.Name, "/", "-")+".json"), content, 0o644)
}

// Read returns the parts in a directory, by name.
func Read(dir string) ([]Part, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	parts := make([]Part, len(files))
	for i, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(content, &parts[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	slices.SortFunc(parts, func(a, b Part) int { return strings.Compare(a.Name, b.Name) })
	return parts, nil
}
