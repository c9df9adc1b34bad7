package main

import (
	"errors"
	"fmt"
	"strings"
)

// borrowed says how a schema that is not ours is treated.
type borrowed int

const (
	// jobSpec is a batch/v1 JobSpec: its fields keep one sentence, what is below
	// them keeps nothing.
	jobSpec borrowed = iota + 1
	// inlineJobSpec is a JobSpec whose fields stand between fields of ours.
	inlineJobSpec
	// core is any other type of Kubernetes': it keeps nothing.
	core
)

// places are the borrowed schemas of each kind, by their path in the CRD. The
// field that leads to one is ours and keeps its description.
var places = map[string]map[string]borrowed{
	"JobFlow": {
		"spec.globalParams.env[]":          core,
		"spec.shareVolumes[]":              core,
		"spec.flows[].shareVolumeMounts[]": core,
		"spec.flows[].jobTemplate":         jobSpec,
	},
	"DaemonJob": {
		"spec.globalParams.env[]": core,
		"spec":                    inlineJobSpec,
	},
	"JobTemplate": {
		"spec.jobTemplate": jobSpec,
	},
}

// ours are the fields that stand beside those of an inlined JobSpec.
var ours = map[string]bool{"globalParams": true, "excludeNodeList": true}

// notes are added to the sentence of a JobSpec's field where a Job that the
// operator makes differs from a Job of one's own.
var notes = map[string]string{
	"backoffLimit": "Default: 0.",
	"template":     "Its restartPolicy is always Never.",
}

// trim shortens the descriptions in a CustomResourceDefinition, and closes what the
// generated schemas leave open.
func trim(crd map[string]any) error {
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
		for path, how := range places[kind] {
			if err := trimAt(schema, path, how); err != nil {
				return fmt.Errorf("%s %v: %w", kind, version["name"], err)
			}
		}
	}
	return nil
}

func trimAt(schema map[string]any, path string, how borrowed) error {
	at := find(schema, path)
	if at == nil {
		return fmt.Errorf("no schema at %s; was the field renamed?", path)
	}
	for name, field := range fields(at) {
		switch {
		case how == inlineJobSpec && ours[name]:
		case how == core:
			silence(field)
		default:
			trimJobField(name, field)
		}
	}
	if how == core {
		delete(at, "description")
	}
	return nil
}

func trimJobField(name string, field map[string]any) {
	text, _ := field["description"].(string)
	silence(field)
	short := firstSentence(text)
	if note := notes[name]; note != "" && !strings.HasSuffix(short, note) {
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

// eachSchema visits a schema and all that are in it. It follows the schema's
// structure, since "description" may also be the name of a property.
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

// find follows a path such as spec.flows[].jobTemplate; nil when it leads nowhere.
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

// firstSentence cuts a description after its first sentence and puts it on one
// line. A text that has a note already is one that was trimmed before.
func firstSentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	for _, note := range notes {
		if strings.HasSuffix(text, " "+note) {
			return text
		}
	}
	for i := 0; i+2 < len(text); i++ {
		if text[i] != '.' || text[i+1] != ' ' {
			continue
		}
		// A lower-case letter after the full stop: an abbreviation such as "e.g.".
		if next := text[i+2]; next >= 'A' && next <= 'Z' {
			return text[:i+1]
		}
	}
	return text
}
