package olm

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/util/jsonpath"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/history"
)

// object names an object of the cluster. Its fields are found by JSONPath, as kubectl
// does it, so that OLM's Go types are not needed.
type object struct {
	kind schema.GroupVersionKind
	key  client.ObjectKey
}

var (
	olmGroup     = schema.GroupVersion{Group: "operators.coreos.com", Version: "v1alpha1"}
	subscription = object{olmGroup.WithKind("Subscription"), client.ObjectKey{Namespace: namespace, Name: "jobflow-operator"}}
)

func source(catalog string) object {
	return object{olmGroup.WithKind("CatalogSource"), client.ObjectKey{Namespace: "olm", Name: catalog}}
}

func csv(name string) object {
	return object{olmGroup.WithKind("ClusterServiceVersion"), client.ObjectKey{Namespace: namespace, Name: name}}
}

func installPlan(name string) object {
	return object{olmGroup.WithKind("InstallPlan"), client.ObjectKey{Namespace: namespace, Name: name}}
}

// operatorCondition is what the operator of a version tells OLM.
func operatorCondition(version string) object {
	kind := schema.GroupVersionKind{Group: olmGroup.Group, Version: "v2", Kind: "OperatorCondition"}
	return object{kind, client.ObjectKey{Namespace: namespace, Name: version}}
}

// workload is a JobFlow or a DaemonJob of the specs.
func workload(kind, name string) object {
	return object{v1alpha1.GroupVersion.WithKind(kind), client.ObjectKey{Namespace: work, Name: name}}
}

// String is the name by which kubectl finds the object.
func (o object) String() string {
	return strings.TrimSuffix(strings.ToLower(o.kind.Kind)+"."+o.kind.Group, ".") + "/" + o.key.Name
}

// field is what a JSONPath finds in an object now, empty if there is no such object.
func field(ctx context.Context, o object, path string) string {
	GinkgoHelper()
	found := &unstructured.Unstructured{}
	found.SetGroupVersionKind(o.kind)
	err := k8s.Get(ctx, o.key, found)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return ""
	}
	Expect(err).NotTo(HaveOccurred())
	return find(path, found)
}

func find(path string, o *unstructured.Unstructured) string {
	GinkgoHelper()
	parsed := jsonpath.New(path).AllowMissingKeys(true)
	Expect(parsed.Parse(path)).To(Succeed())
	var text bytes.Buffer
	Expect(parsed.Execute(&text, o.Object)).To(Succeed())
	return text.String()
}

// await watches an object until what a JSONPath finds in it is as wanted, and returns that.
// There need not be such an object yet.
func await(ctx context.Context, o object, path string, wanted types.GomegaMatcher) string {
	GinkgoHelper()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(o.kind.GroupVersion().WithKind(o.kind.Kind + "List"))
	var latest atomic.Pointer[unstructured.Unstructured]
	note := func(_ watch.EventType, seen client.Object) { latest.Store(seen.(*unstructured.Unstructured)) }
	// Only the newest version of the object matters: a watch may miss one.
	gap := func(error) {}
	named := client.MatchingFields{"metadata.name": o.key.Name}
	Expect(history.Follow(watching, k8s, list, note, gap, client.InNamespace(o.key.Namespace), named)).To(Succeed())
	found := ""
	Eventually(ctx, func() string {
		if seen := latest.Load(); seen != nil {
			found = find(path, seen)
		}
		return found
	}).Should(wanted, "%s of %s", path, o)
	return found
}

// awaitGone waits until there is no such object.
func awaitGone(ctx context.Context, o object) {
	GinkgoHelper()
	Eventually(ctx, field).WithArguments(o, "{.metadata.name}").Should(BeEmpty(), "%s is still there", o)
}
