// Apidocs writes the API reference from the Go types: what each field means, its
// default, and whether it may change.
//
// Usage: apidocs DIR >FILE
//
// By the convention of this project a field's comment says its default in a
// sentence that begins with "Default:", and its mutability in one that begins
// with "Immutable" or "May change".
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: apidocs DIR >FILE")
		os.Exit(2)
	}
	api, err := load(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "apidocs:", err)
		os.Exit(1)
	}
	fmt.Print(render(api))
}
