// Bundlefinish completes what "operator-sdk generate bundle" wrote. It makes the bundle
// reproducible and puts back what the tool loses:
//
//   - createdAt comes from the CSV's base and is not the time of the run.
//   - containerImage and relatedImages are the images of the Deployments.
//   - Each field of the CRDs gets a descriptor (descriptors.go).
//   - The icon comes from its own file.
//   - CRDs and roles are written again from the input. The tool reads them into the types of
//     Kubernetes 1.27, which drops newer fields, such as the fieldPath of a validation rule.
//   - The Service of the webhooks is removed, since OLM creates its own.
//   - A NetworkPolicy of the input is added. The tool drops it; OLM accepts it.
//
// Usage: bundlefinish -input FILE -icon FILE -api DIR BUNDLE
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/jobflow-operator/jobflow-operator/hack/tools/internal/apitypes"
)

const csvSuffix = ".clusterserviceversion.yaml"

func main() {
	input := flag.String("input", "", "the `file` that operator-sdk was given: the output of kustomize")
	icon := flag.String("icon", "", "the icon, an SVG `file`")
	types := flag.String("api", "", "the `directory` of the Go types")
	flag.Parse()
	if *input == "" || *icon == "" || *types == "" || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: bundlefinish -input FILE -icon FILE -api DIR BUNDLE")
		os.Exit(2)
	}
	if err := run(*input, *icon, *types, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "bundlefinish:", err)
		os.Exit(1)
	}
}

func run(inputPath, iconPath, types, dir string) error {
	content, err := os.ReadFile(inputPath)
	if err != nil {
		return err
	}
	in, err := parse(content)
	if err != nil {
		return fmt.Errorf("%s: %w", inputPath, err)
	}
	icon, err := os.ReadFile(iconPath)
	if err != nil {
		return err
	}
	api, err := apitypes.Load(types)
	if err != nil {
		return err
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := finishFile(path, in, icon, api); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	for name, manifest := range dropped(in) {
		if err := write(filepath.Join(dir, name), manifest); err != nil {
			return err
		}
	}
	return nil
}

func finishFile(path string, in objects, icon []byte, api *apitypes.API) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var generated object
	if err := yaml.Unmarshal(content, &generated); err != nil {
		return err
	}
	finished := generated
	if strings.HasSuffix(path, csvSuffix) {
		err = errors.Join(finishCSV(generated, in, icon), addDescriptors(generated, in, api))
	} else {
		finished, err = finishManifest(generated, in)
	}
	if err != nil {
		return err
	}
	if finished == nil {
		return os.Remove(path)
	}
	return write(path, finished)
}

func write(path string, manifest object) error {
	content, err := yaml.Marshal(manifest)
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}
