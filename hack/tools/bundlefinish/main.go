// Bundlefinish completes what "operator-sdk generate bundle" wrote, so that the same
// sources always give the same bundle, and nothing of them is lost:
//
//   - createdAt is what the CSV's base says, not the time of the run.
//   - containerImage and relatedImages are the images of the Deployments.
//   - The icon is put in from its own file.
//   - CRDs and roles are written anew from the input. The tool reads them into the
//     types of Kubernetes 1.27, and what those do not know, such as the fieldPath of
//     a validation rule, would be lost.
//   - The Service of the webhooks is removed: OLM makes one of its own.
//   - A NetworkPolicy is added where the input has one. The tool drops it, OLM takes
//     it.
//
// Usage: bundlefinish -input FILE -icon FILE DIR
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

const csvSuffix = ".clusterserviceversion.yaml"

func main() {
	input := flag.String("input", "", "the `file` that operator-sdk was given: the output of kustomize")
	icon := flag.String("icon", "", "the icon, an SVG `file`")
	flag.Parse()
	if *input == "" || *icon == "" || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: bundlefinish -input FILE -icon FILE DIR")
		os.Exit(2)
	}
	if err := run(*input, *icon, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "bundlefinish:", err)
		os.Exit(1)
	}
}

func run(inputPath, iconPath, dir string) error {
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
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := finishFile(path, in, icon); err != nil {
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

func finishFile(path string, in objects, icon []byte) error {
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
		err = finishCSV(generated, in, icon)
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
