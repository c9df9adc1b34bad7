package checks

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

const (
	// crdLimit leaves room below the 262,144 bytes that the annotations of an object
	// may have in all: kubectl apply keeps the whole object in one of them.
	crdLimit = 200_000
	// bundleLimit leaves room in the ConfigMap of 1 MiB into which OLM unpacks a
	// bundle: gzipped, and then in base64.
	bundleLimit = 512 << 10
)

// sizeBudget holds the CRDs below what kubectl apply can take and the bundle below
// what OLM can unpack.
func sizeBudget(_ context.Context, env *Environment, r *report) error {
	crds, err := manifestsOf[any](env.Bundle, "CustomResourceDefinition")
	if err != nil {
		return err
	}
	if len(crds) == 0 {
		return errors.New("manifests/ has no CustomResourceDefinition; run make bundle")
	}
	for path := range crds {
		compact, err := yaml.YAMLToJSON(env.Bundle.Manifests[path])
		if err != nil {
			return err
		}
		r.logf("%s: %d bytes of JSON", path, len(compact))
		if len(compact) >= crdLimit {
			r.errorf("%s: %d bytes of JSON, and %d is the limit; shorten descriptions in spec.versions[].schema, for example with hack/tools/crdtrim",
				path, len(compact), crdLimit)
		}
	}
	size, err := zippedSize(env.Bundle.Dir)
	if err != nil {
		return err
	}
	r.logf("bundle: %d bytes gzipped", size)
	if size >= bundleLimit {
		r.errorf("bundle: %d bytes gzipped, and %d is the limit; make manifests/ smaller", size, bundleLimit)
	}
	return nil
}

// zippedSize is that of manifests/ and metadata/, a gzipped entry a file, as OLM
// keeps them.
func zippedSize(dir string) (int, error) {
	total := 0
	for _, part := range []string{"manifests", "metadata"} {
		err := filepath.WalkDir(filepath.Join(dir, part), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			var zipped bytes.Buffer
			writer := gzip.NewWriter(&zipped)
			if _, err := writer.Write(content); err != nil {
				return err
			}
			if err := writer.Close(); err != nil {
				return err
			}
			total += zipped.Len()
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return total, nil
}
