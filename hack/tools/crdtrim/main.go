// Crdtrim shortens the descriptions that controller-gen copies from Kubernetes' types into
// the CRDs. With all of them a CRD is larger than the annotation in which kubectl apply
// stores what was applied (262,144 bytes), so applying it fails. Crdtrim also restricts the
// schemas to what Go can decode (decodable.go).
//
// Usage: crdtrim -api DIR FILE...
//
// DIR has the Go types, which show where the types of Kubernetes are. The files, as
// controller-gen writes them, are rewritten in place.
package main

import (
	"flag"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"

	"github.com/jobflow-operator/jobflow-operator/hack/tools/internal/apitypes"
)

func main() {
	dir := flag.String("api", "", "the `directory` of the Go types")
	flag.Parse()
	if *dir == "" || flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: crdtrim -api DIR FILE...")
		os.Exit(2)
	}
	if err := run(*dir, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "crdtrim:", err)
		os.Exit(1)
	}
}

func run(dir string, files []string) error {
	api, err := apitypes.Load(dir)
	if err != nil {
		return err
	}
	for _, path := range files {
		if err := trimFile(path, api); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func trimFile(path string, api *apitypes.API) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var crd map[string]any
	if err := yaml.Unmarshal(before, &crd); err != nil {
		return err
	}
	if err := trim(crd, api); err != nil {
		return err
	}
	after, err := yaml.Marshal(crd)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append([]byte("---\n"), after...), 0o644)
}
