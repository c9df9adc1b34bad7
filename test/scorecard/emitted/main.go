// Emitted writes, as JSON, the words that the operator's code can write into
// conditions and events. The image of the scorecard's tests carries them.
//
// Usage: emitted DIR
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/jobflow-operator/jobflow-operator/test/scorecard/internal/emitted"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: emitted DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "emitted:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	found, err := emitted.Find(dir)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(found.Words)
}
