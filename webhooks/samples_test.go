package webhooks_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

var _ = It("Admission accepts the samples", func() {
	files, err := filepath.Glob(filepath.Join("..", "config", "samples", "*.yaml"))
	Expect(err).NotTo(HaveOccurred())
	taken := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		Expect(err).NotTo(HaveOccurred())
		namespace := newNamespace()
		decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
		for {
			obj := &unstructured.Unstructured{}
			err := decoder.Decode(&obj.Object)
			if errors.Is(err, io.EOF) {
				break
			}
			Expect(err).NotTo(HaveOccurred(), file)
			if obj.GroupVersionKind().Group != v1alpha1.GroupVersion.Group {
				continue
			}
			obj.SetNamespace(namespace)
			Expect(k8s.Create(ctx, obj)).To(Succeed(), file)
			taken++
		}
	}
	Expect(taken).To(BeNumerically(">=", 6))
})
