package webhooks_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// Users start from these examples, so admission must accept them unchanged.
var _ = It("Admission accepts the examples of the bundle for OLM without a warning", func() {
	content, err := os.ReadFile(filepath.Join("..", "bundle", "manifests", "jobflow-operator.clusterserviceversion.yaml"))
	Expect(err).NotTo(HaveOccurred())
	var csv struct {
		Metadata struct{ Annotations map[string]string }
		Spec     struct{ Description string }
	}
	Expect(yaml.Unmarshal(content, &csv)).To(Succeed())

	var objects []*unstructured.Unstructured
	add := func(where, text string) {
		GinkgoHelper()
		var raw []map[string]any
		Expect(yaml.Unmarshal([]byte(text), &raw)).To(Succeed(), where)
		for _, obj := range raw {
			objects = append(objects, &unstructured.Unstructured{Object: obj})
		}
	}
	add("alm-examples", csv.Metadata.Annotations["alm-examples"])
	add("initialization-resource", fmt.Sprintf("[%s]", csv.Metadata.Annotations["operatorframework.io/initialization-resource"]))
	inDescription := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllStringSubmatch(csv.Spec.Description, -1)
	for _, match := range inDescription {
		add("description", "- "+strings.ReplaceAll(strings.TrimSpace(match[1]), "\n", "\n  "))
	}

	namespace := newNamespace()
	for _, obj := range objects {
		obj.SetNamespace(namespace)
		warnings.take()
		Expect(k8s.Create(ctx, obj, client.DryRunAll)).To(Succeed(), obj.GetName())
		Expect(warnings.take()).To(BeEmpty(), obj.GetName())
	}
	Expect(inDescription).NotTo(BeEmpty())
	Expect(len(objects)).To(BeNumerically(">=", 7))
})
