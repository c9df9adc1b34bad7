package webhooks_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// example is a block of YAML in a page. verdict is the word after "yaml" in its first
// line: none if it must be accepted, "warned" if it must be accepted with a warning, and
// "refused".
type example struct {
	where, verdict, text string
}

var _ = It("Admission accepts, warns or refuses the examples in the documentation as marked", func() {
	namespace := newNamespace()
	judged := map[string]int{}
	for _, page := range pages() {
		for _, e := range examplesOf(page) {
			for _, obj := range objectsOf(e) {
				obj.SetNamespace(namespace)
				warnings.take()
				err := k8s.Create(ctx, obj, client.DryRunAll)
				switch given := warnings.take(); e.verdict {
				case "":
					Expect(err).NotTo(HaveOccurred(), e.where)
					Expect(given).To(BeEmpty(), e.where)
				case "warned":
					Expect(err).NotTo(HaveOccurred(), e.where)
					Expect(given).NotTo(BeEmpty(), e.where)
				case "refused":
					Expect(err).To(Or(Satisfy(apierrors.IsInvalid), Satisfy(apierrors.IsBadRequest)), e.where)
				default:
					Fail(fmt.Sprintf("%s: unknown word %q after yaml", e.where, e.verdict))
				}
				judged[e.verdict]++
			}
		}
	}
	Expect(judged[""]).To(BeNumerically(">=", 10))
	Expect(judged["warned"]).To(BeNumerically(">=", 1))
	Expect(judged["refused"]).To(BeNumerically(">=", 1))
})

func pages() []string {
	GinkgoHelper()
	found := []string{filepath.Join("..", "README.md")}
	Expect(filepath.WalkDir(filepath.Join("..", "docs"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(path) == ".md" {
			found = append(found, path)
		}
		return err
	})).To(Succeed())
	return found
}

var fencedYAML = regexp.MustCompile("(?ms)^```yaml *([a-z]*)\n(.*?)^```$")

func examplesOf(page string) []example {
	GinkgoHelper()
	content, err := os.ReadFile(page)
	Expect(err).NotTo(HaveOccurred())
	var examples []example
	for _, at := range fencedYAML.FindAllSubmatchIndex(content, -1) {
		examples = append(examples, example{
			where:   fmt.Sprintf("%s:%d", page, 1+bytes.Count(content[:at[0]], []byte("\n"))),
			verdict: string(content[at[2]:at[3]]),
			text:    string(content[at[4]:at[5]]),
		})
	}
	return examples
}

// objectsOf returns the JobFlows, DaemonJobs and JobTemplates in an example. Parts of an
// object, which have no apiVersion, are skipped.
func objectsOf(e example) []*unstructured.Unstructured {
	GinkgoHelper()
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(e.text), 4096)
	for {
		obj := &unstructured.Unstructured{}
		err := decoder.Decode(&obj.Object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		Expect(err).NotTo(HaveOccurred(), e.where)
		if obj.GroupVersionKind().Group == v1alpha1.GroupVersion.Group {
			objects = append(objects, obj)
		}
	}
}
