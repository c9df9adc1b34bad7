// Chartdocs writes the table of a Helm chart's values into its README.md: their paths, their
// defaults, and their comments in values.yaml. A value without a comment is an error.
//
// Usage: chartdocs CHART
//
// The table replaces what is between two marks in CHART/README.md.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: chartdocs CHART")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "chartdocs: %v\n", err)
		os.Exit(1)
	}
}

func run(chart string) error {
	values, err := os.ReadFile(filepath.Join(chart, "values.yaml"))
	if err != nil {
		return err
	}
	table, err := tableOf(values)
	if err != nil {
		return fmt.Errorf("values.yaml: %w", err)
	}
	path := filepath.Join(chart, "README.md")
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	after, err := insert(before, table)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if bytes.Equal(before, after) {
		return nil
	}
	return os.WriteFile(path, after, 0o644)
}
