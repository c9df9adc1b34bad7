// Crdtrim shortens the descriptions that controller-gen copies from Kubernetes'
// own types into our CRDs. A CRD that carries them all is larger than the
// annotation in which kubectl apply remembers what was applied (262,144 bytes),
// and applying it fails. It also has their schemas take only what Go can decode
// (decodable.go).
//
// Usage: crdtrim FILE...
//
// The files are rewritten in place; what is trimmed already stays as it is.
package main

import (
	"bytes"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: crdtrim FILE...")
		os.Exit(2)
	}
	for _, path := range os.Args[1:] {
		if err := trimFile(path); err != nil {
			fmt.Fprintf(os.Stderr, "crdtrim: %s: %v\n", path, err)
			os.Exit(1)
		}
	}
}

func trimFile(path string) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var crd map[string]any
	if err := yaml.Unmarshal(before, &crd); err != nil {
		return err
	}
	if err := trim(crd); err != nil {
		return err
	}
	after, err := yaml.Marshal(crd)
	if err != nil {
		return err
	}
	after = append([]byte("---\n"), after...)
	if bytes.Equal(before, after) {
		return nil
	}
	return os.WriteFile(path, after, 0o644)
}
