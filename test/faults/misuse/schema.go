package misuse

import (
	"maps"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

type schema = apiextensionsv1.JSONSchemaProps

// Steps of a path that are no names: the first item of a list, and one entry of a map.
const (
	firstItem = "[0]"
	anEntry   = "{}"
	// entryKey is the key that the entry gets.
	entryKey = "misuse"
)

// property is one property of a CRD, with the way to it from the top of the object.
type property struct {
	path []string
	// schemas has one schema for each step of path.
	schemas []*schema
	// required says that the object which it is in must have it.
	required bool
}

func (p *property) schema() *schema { return p.schemas[len(p.schemas)-1] }

func (p *property) String() string {
	return strings.ReplaceAll(strings.Join(p.path, "."), "."+firstItem, firstItem)
}

// names are the last two names in the path: what a message has to name one of. Of a
// list or map without a name of its own, it is the name of the property that holds it.
func (p *property) names() []string {
	var names []string
	for _, step := range slices.Backward(p.path) {
		if step != firstItem && step != anEntry && len(names) < 2 {
			names = append(names, step)
		}
	}
	return names
}

// below says whether the property is inside what one of the paths leads to.
func (p *property) below(paths ...string) bool {
	return slices.ContainsFunc(paths, func(path string) bool {
		rest, found := strings.CutPrefix(p.String(), path)
		return found && rest != "" && (rest[0] == '.' || rest[0] == '[')
	})
}

// specOf is the schema of spec in the CRD of a resource.
func specOf(t *testing.T, resource string) *schema {
	t.Helper()
	crd := manifests.Load[apiextensionsv1.CustomResourceDefinition](t, "config/crd/bases/api.practice.com_"+resource+".yaml")
	spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	return &spec
}

// walk is the property and all that are in it, each after the one that it is in.
func walk(p *property) []*property {
	all := []*property{p}
	s := p.schema()
	add := func(step string, child *schema, required bool) {
		all = append(all, walk(&property{
			path:     append(slices.Clone(p.path), step),
			schemas:  append(slices.Clone(p.schemas), child),
			required: required,
		})...)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		child := s.Properties[name]
		add(name, &child, slices.Contains(s.Required, name))
	}
	if s.Items != nil && s.Items.Schema != nil {
		add(firstItem, s.Items.Schema, false)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		add(anEntry, s.AdditionalProperties.Schema, false)
	}
	return all
}
