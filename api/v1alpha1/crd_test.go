package v1alpha1

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

// kinds are the Go types of the CRDs.
var kinds = map[string]reflect.Type{
	"jobflows":     reflect.TypeFor[JobFlow](),
	"daemonjobs":   reflect.TypeFor[DaemonJob](),
	"jobtemplates": reflect.TypeFor[JobTemplate](),
}

// crdLimit leaves room below the 262,144 bytes that the annotations of an object
// may have in all: kubectl apply keeps the whole object in one of them.
const (
	crdLimit        = 200_000
	annotationLimit = 262_144
)

func TestCRDIsSmallEnoughForKubectlApply(t *testing.T) {
	for plural := range kinds {
		t.Run(plural, func(t *testing.T) {
			compact, err := json.Marshal(readCRD(t, plural))
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d bytes of JSON", len(compact))
			if len(compact) >= crdLimit {
				t.Errorf("%d bytes of JSON, want less than %d", len(compact), crdLimit)
			}
			if with := len(compact) + len("kubectl.kubernetes.io/last-applied-configuration"); with >= annotationLimit {
				t.Errorf("kubectl apply would make an annotation of %d bytes, want less than %d", with, annotationLimit)
			}
		})
	}
}

// A bundle for OLM is kept gzipped in a ConfigMap.
func TestCRDsFitIntoABundle(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	for plural := range kinds {
		compact, err := json.Marshal(readCRD(t, plural))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(compact); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if zipped.Len() >= 512*1024 {
		t.Errorf("%d bytes gzipped, want less than 512 KiB", zipped.Len())
	}
}

// kubectl explain shows what each field means.
func TestOurFieldsHaveDescriptions(t *testing.T) {
	for plural, typ := range kinds {
		t.Run(plural, func(t *testing.T) {
			checkDescriptions(t, plural, typ, crdSchema(t, plural))
		})
	}
}

func checkDescriptions(t *testing.T, path string, typ reflect.Type, schema apiextensionsv1.JSONSchemaProps) {
	t.Helper()
	for field := range typ.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		fieldType := elem(field.Type)
		if strings.Contains(options, "inline") {
			if isOurs(fieldType) {
				checkDescriptions(t, path, fieldType, schema)
			}
			continue
		}
		at := path + "." + name
		below, found := schema.Properties[name]
		switch {
		case !found:
			t.Errorf("%s: not in the CRD; run make manifests", at)
			continue
		case below.Description == "" && name != "metadata":
			t.Errorf("%s: no description", at)
		}
		if below.Items != nil && below.Items.Schema != nil {
			below = *below.Items.Schema
		}
		if fieldType.Kind() == reflect.Struct && isOurs(fieldType) {
			checkDescriptions(t, at, fieldType, below)
		}
	}
}

func elem(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}

func isOurs(t reflect.Type) bool {
	return t.PkgPath() == reflect.TypeFor[JobFlow]().PkgPath()
}

// The fields of a JobSpec keep a short description, what is below them none.
func TestJobSpecKeepsShortDescriptions(t *testing.T) {
	for path, spec := range jobSpecs(t) {
		t.Run(path, func(t *testing.T) {
			for _, name := range []string{"completions", "parallelism", "backoffLimit", "activeDeadlineSeconds", "template", "podFailurePolicy"} {
				if got := spec.Properties[name].Description; got == "" || len(got) > 250 {
					t.Errorf("%s: a description of %d characters, want 1 to 250", name, len(got))
				}
			}
			template := spec.Properties["template"]
			if got := template.Properties["spec"].Description; got != "" {
				t.Errorf("template.spec: description %q, want none", got)
			}
		})
	}
}

// A typo in a pod template is an unknown field only where every field is known:
// an object that keeps unknown fields takes them without a word.
func TestNothingKeepsUnknownFields(t *testing.T) {
	for plural := range kinds {
		t.Run(plural, func(t *testing.T) {
			walk(plural, crdSchema(t, plural), func(path string, s apiextensionsv1.JSONSchemaProps) {
				if s.XPreserveUnknownFields != nil {
					t.Errorf("%s: x-kubernetes-preserve-unknown-fields hides typos", path)
				}
			})
		})
	}
}

// Without generateEmbeddedObjectMeta the API server would drop the labels of a
// pod template.
func TestPodTemplatesKeepTheirMetadata(t *testing.T) {
	for path, spec := range jobSpecs(t) {
		t.Run(path, func(t *testing.T) {
			template := spec.Properties["template"]
			metadata := template.Properties["metadata"]
			got := slices.Sorted(maps.Keys(metadata.Properties))
			for _, want := range []string{"labels", "annotations"} {
				if !slices.Contains(got, want) {
					t.Errorf("template.metadata has %v, want %s too", got, want)
				}
			}
		})
	}
}

// jobSpecs are the schemas of JobSpecs in the CRDs, by their path.
func jobSpecs(t *testing.T) map[string]apiextensionsv1.JSONSchemaProps {
	t.Helper()
	flows := crdSchema(t, "jobflows").Properties["spec"].Properties["flows"].Items.Schema
	return map[string]apiextensionsv1.JSONSchemaProps{
		"jobflows.spec.flows[].jobTemplate": flows.Properties["jobTemplate"],
		"daemonjobs.spec":                   crdSchema(t, "daemonjobs").Properties["spec"],
		"jobtemplates.spec.jobTemplate":     crdSchema(t, "jobtemplates").Properties["spec"].Properties["jobTemplate"],
	}
}

func walk(path string, s apiextensionsv1.JSONSchemaProps, visit func(string, apiextensionsv1.JSONSchemaProps)) {
	visit(path, s)
	for name, below := range s.Properties {
		walk(path+"."+name, below, visit)
	}
	if s.Items != nil && s.Items.Schema != nil {
		walk(path+"[]", *s.Items.Schema, visit)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		walk(path+"{}", *s.AdditionalProperties.Schema, visit)
	}
}

func crdSchema(t *testing.T, plural string) apiextensionsv1.JSONSchemaProps {
	t.Helper()
	return *readCRD(t, plural).Spec.Versions[0].Schema.OpenAPIV3Schema
}

func readCRD(t *testing.T, plural string) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "crd", "bases", GroupVersion.Group+"_"+plural+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(text, &crd); err != nil {
		t.Fatal(err)
	}
	return &crd
}

// What a schema takes, Go has to be able to decode: an operator whose watch brings one
// object that it cannot read stops for all of that kind.
func TestWhatTheSchemaTakesCanBeDecoded(t *testing.T) {
	for plural := range kinds {
		t.Run(plural, func(t *testing.T) {
			walk(plural, crdSchema(t, plural), func(path string, s apiextensionsv1.JSONSchemaProps) {
				switch {
				case s.XIntOrString && s.Pattern != "":
					pattern := regexp.MustCompile(s.Pattern)
					for _, text := range []string{"1", "-1.5", "100m", "12Ei", "1e3", "1E-3", "1e1.5", "1e.5", "1e", "", "1KiB"} {
						if _, err := resource.ParseQuantity(text); pattern.MatchString(text) != (err == nil) {
							t.Errorf("%s: %q: the pattern takes it: %v, Go: %v", path, text, pattern.MatchString(text), err)
						}
					}
				case s.XIntOrString:
					if s.Minimum == nil || *s.Minimum != math.MinInt32 || s.Maximum == nil || *s.Maximum != math.MaxInt32 {
						t.Errorf("%s: not bounded to 32 bits", path)
					}
				case s.Type == "integer" && s.Format != "int32" && s.Format != "int64":
					t.Errorf("%s: a number of any size", path)
				}
			})
		})
	}
}
