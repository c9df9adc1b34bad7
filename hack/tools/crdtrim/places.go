package main

import "github.com/jobflow-operator/jobflow-operator/hack/tools/internal/apitypes"

// place is where a CRD has the schema of one of Kubernetes' types. The field that leads
// there belongs to our API and keeps its description.
type place struct {
	path string
	how  how
	// own has the fields of our API among those of an inlined type.
	own map[string]bool
}

// how is what is kept of such a schema.
type how int

const (
	// jobSpec is a batch/v1 JobSpec. Its fields keep one sentence; what is below them
	// keeps nothing.
	jobSpec how = iota + 1
	// inlineJobSpec is a JobSpec whose fields are among fields of our API.
	inlineJobSpec
	// core is any other type. It keeps nothing.
	core
)

// places returns the schemas in the CRD of a kind that are of Kubernetes' types, as the Go
// types have them.
func places(api *apitypes.API, kind string) []place {
	spec := api.Part(kind, "spec")
	if spec == nil {
		return nil
	}
	return placesBelow(api, "spec", spec)
}

func placesBelow(api *apitypes.API, path string, t *apitypes.Struct) []place {
	var found []place
	for _, f := range api.Flat(t) {
		at := path + "." + f.Name
		if f.Type.List {
			at += "[]"
		}
		isJobSpec := f.Type.Package == "batchv1" && f.Type.Name == "JobSpec"
		switch {
		case isJobSpec && f.Name == "":
			found = append(found, place{path: path, how: inlineJobSpec, own: ownFields(api, t)})
		case isJobSpec:
			found = append(found, place{path: at, how: jobSpec})
		case f.Type.Package != "":
			found = append(found, place{path: at, how: core})
		case api.Structs[f.Type.Name] != nil:
			found = append(found, placesBelow(api, at, api.Structs[f.Type.Name])...)
		}
	}
	return found
}

func ownFields(api *apitypes.API, t *apitypes.Struct) map[string]bool {
	own := map[string]bool{}
	for _, f := range api.Flat(t) {
		if f.Name != "" {
			own[f.Name] = true
		}
	}
	return own
}
