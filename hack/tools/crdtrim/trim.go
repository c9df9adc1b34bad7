package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jobflow-operator/jobflow-operator/hack/tools/internal/apitypes"
)

// notes are added to the sentence of a JobSpec's field where a Job that the operator
// creates differs from other Jobs.
var notes = map[string]string{
	"backoffLimit": "Default: 0.",
	"template":     "Its restartPolicy is always Never.",
}

// inlineNotes are added where the fields of the JobSpec are fields of the spec itself.
var inlineNotes = map[string]string{
	"suspend": "While it is true, no Job is created, and those that have not ended are suspended.",
}

// trim shortens the descriptions in a CustomResourceDefinition, and restricts its schemas
// to what Go can decode.
func trim(crd map[string]any, api *apitypes.API) error {
	spec := object(crd, "spec")
	kind, _ := object(spec, "names")["kind"].(string)
	versions, _ := spec["versions"].([]any)
	if len(versions) == 0 {
		return errors.New("no spec.versions: is this a CustomResourceDefinition?")
	}
	for _, v := range versions {
		version, _ := v.(map[string]any)
		schema := object(object(version, "schema"), "openAPIV3Schema")
		eachSchema(schema, decodable)
		for _, p := range places(api, kind) {
			if err := trimAt(schema, p); err != nil {
				return fmt.Errorf("%s %v: %w", kind, version["name"], err)
			}
		}
	}
	return nil
}

func trimAt(schema map[string]any, p place) error {
	at := find(schema, p.path)
	if at == nil {
		return fmt.Errorf("no schema at %s; was the field renamed?", p.path)
	}
	for name, field := range fields(at) {
		switch {
		case p.own[name]:
		case p.how == core:
			silence(field)
		case p.how == inlineJobSpec && inlineNotes[name] != "":
			trimJobField(field, inlineNotes[name])
		default:
			trimJobField(field, notes[name])
		}
	}
	if p.how == core {
		delete(at, "description")
	}
	return nil
}

func trimJobField(field map[string]any, note string) {
	text, _ := field["description"].(string)
	silence(field)
	short := apitypes.FirstSentence(text)
	if note != "" {
		short += " " + note
	}
	if short != "" {
		field["description"] = short
	}
}

// silence removes every description in a schema.
func silence(schema map[string]any) {
	eachSchema(schema, func(s map[string]any) { delete(s, "description") })
}

// eachSchema visits a schema and all schemas in it. It follows the structure of schemas,
// since a property may be named "description" too.
func eachSchema(schema map[string]any, visit func(map[string]any)) {
	visit(schema)
	for _, field := range fields(schema) {
		eachSchema(field, visit)
	}
	for _, key := range []string{"items", "additionalProperties", "not"} {
		if below := object(schema, key); below != nil {
			eachSchema(below, visit)
		}
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := schema[key].([]any)
		for _, e := range list {
			if below, ok := e.(map[string]any); ok {
				eachSchema(below, visit)
			}
		}
	}
}

// find returns the schema at a path such as spec.flows[].jobTemplate, or nil.
func find(schema map[string]any, path string) map[string]any {
	for step := range strings.SplitSeq(path, ".") {
		name, isList := strings.CutSuffix(step, "[]")
		schema = object(object(schema, "properties"), name)
		if isList {
			schema = object(schema, "items")
		}
	}
	return schema
}

func fields(schema map[string]any) map[string]map[string]any {
	properties := object(schema, "properties")
	byName := make(map[string]map[string]any, len(properties))
	for name := range properties {
		if field := object(properties, name); field != nil {
			byName[name] = field
		}
	}
	return byName
}

func object(in map[string]any, key string) map[string]any {
	out, _ := in[key].(map[string]any)
	return out
}
