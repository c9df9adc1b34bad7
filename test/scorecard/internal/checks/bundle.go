package checks

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
	operators "github.com/operator-framework/api/pkg/operators/v1alpha1"
	"sigs.k8s.io/yaml"
)

const csvSuffix = ".clusterserviceversion.yaml"

// Bundle is what the checks look at.
type Bundle struct {
	// Dir is where it was read from.
	Dir string
	// CSVFile is the path of the CSV in it.
	CSVFile string
	CSV     *operators.ClusterServiceVersion
	// Manifests are the other objects, by their path in the bundle.
	Manifests map[string][]byte
}

// Load reads a bundle's manifests.
func Load(dir string) (*Bundle, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "manifests", "*.yaml"))
	if err != nil {
		return nil, err
	}
	b := &Bundle{Dir: dir, Manifests: map[string][]byte{}}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		name := "manifests/" + filepath.Base(path)
		if !strings.HasSuffix(path, csvSuffix) {
			b.Manifests[name] = content
			continue
		}
		if b.CSV != nil {
			return nil, fmt.Errorf("%s and %s: a bundle has one CSV; remove one", b.CSVFile, name)
		}
		b.CSV, b.CSVFile = &operators.ClusterServiceVersion{}, name
		if err := yaml.Unmarshal(content, b.CSV); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if b.CSV == nil {
		return nil, errors.New("manifests/ has no CSV, a file whose name ends in " + csvSuffix)
	}
	return b, nil
}

// Configured are the tests that a bundle asks for.
func Configured(bundle string) ([]v1alpha3.TestConfiguration, error) {
	path := filepath.Join(bundle, "tests", "scorecard", "config.yaml")
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var configuration v1alpha3.Configuration
	if err := yaml.UnmarshalStrict(content, &configuration); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var tests []v1alpha3.TestConfiguration
	for _, stage := range configuration.Stages {
		tests = append(tests, stage.Tests...)
	}
	if len(tests) == 0 {
		return nil, fmt.Errorf("%s: stages[].tests: none; run make bundle", path)
	}
	return tests, nil
}

// manifestsOf reads the objects of a kind, by their path in the bundle.
func manifestsOf[T any](b *Bundle, kinds ...string) (map[string]T, error) {
	found := map[string]T{}
	for path, content := range b.Manifests {
		var header struct{ Kind string }
		if err := yaml.Unmarshal(content, &header); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, kind := range kinds {
			if header.Kind != kind {
				continue
			}
			if bytes.Contains(content, []byte("\n---\n")) {
				return nil, fmt.Errorf("%s: several objects in one file; give each its own", path)
			}
			var object T
			if err := yaml.Unmarshal(content, &object); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			found[path] = object
		}
	}
	return found, nil
}
