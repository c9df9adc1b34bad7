// Reasondocs writes the tables of reasons in pages, between marked lines, from the table in
// api/v1alpha1/reasons.go. It belongs to the operator's module so that it can import that.
//
// Usage: reasondocs PAGE...
package main

import (
	"fmt"
	"os"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func main() {
	for _, page := range os.Args[1:] {
		if err := write(page); err != nil {
			fmt.Fprintf(os.Stderr, "reasondocs: %s: %v\n", page, err)
			os.Exit(1)
		}
	}
}

func write(page string) error {
	before, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	after, err := replaceTables(string(before), v1alpha1.Reasons)
	if err != nil || after == string(before) {
		return err
	}
	return os.WriteFile(page, []byte(after), 0o644)
}
