package v1alpha1

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// Every sample has only fields that exist.
func TestSamplesDecodeStrictly(t *testing.T) {
	dir := filepath.Join("..", "..", "config", "samples")
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	listed := listedSamples(t, dir)
	for _, file := range files {
		base := filepath.Base(file)
		if base == "kustomization.yaml" {
			continue
		}
		t.Run(base, func(t *testing.T) {
			if !slices.Contains(listed, base) {
				t.Error("not listed in kustomization.yaml")
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			decodeSample(t, text)
		})
	}
}

func listedSamples(t *testing.T, dir string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var kustomization struct {
		Resources []string `json:"resources"`
	}
	if err := sigsyaml.Unmarshal(text, &kustomization); err != nil {
		t.Fatal(err)
	}
	return kustomization.Resources
}

func decodeSample(t *testing.T, text []byte) {
	t.Helper()
	documents := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(text)))
	ours := 0
	for {
		document := make([]byte, len(text))
		n, err := documents.Read(document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		document = document[:n]
		var header struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
		}
		if err := sigsyaml.Unmarshal(document, &header); err != nil {
			t.Fatal(err)
		}
		if header.APIVersion != GroupVersion.String() {
			continue
		}
		ours++
		into := map[string]any{"JobFlow": &JobFlow{}, "DaemonJob": &DaemonJob{}, "JobTemplate": &JobTemplate{}}[header.Kind]
		if into == nil {
			t.Errorf("no kind %s", header.Kind)
			continue
		}
		if err := sigsyaml.UnmarshalStrict(document, into); err != nil {
			t.Errorf("%s: %v", header.Kind, err)
		}
	}
	if ours == 0 {
		t.Error("has no object of our kinds")
	}
}
