package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/jobflow-operator/jobflow-operator/hack/tools/internal/apitypes"
)

// The x-descriptors that OpenShift's console knows.
const (
	ui        = "urn:alm:descriptor:com.tectonic.ui:"
	plainText = "urn:alm:descriptor:text"
	phase     = "urn:alm:descriptor:io.kubernetes.phase"
	reason    = "urn:alm:descriptor:io.kubernetes.phase:reason"
	condition = "urn:alm:descriptor:io.kubernetes.conditions"
)

// ofStatus has the fields of a status whose names have a meaning by convention.
var ofStatus = map[string]string{"state": phase, "message": reason, "conditions": condition}

// ofJobSpec has what the schema of a batch/v1 JobSpec does not say about its fields.
var ofJobSpec = map[string][]string{
	"backoffLimit":         {ui + "number"},
	"completionMode":       {ui + "select:NonIndexed", ui + "select:Indexed", ui + "advanced"},
	"manualSelector":       {ui + "hidden"},
	"podReplacementPolicy": {ui + "select:TerminatingOrFailed", ui + "select:Failed", ui + "advanced"},
	"selector":             {ui + "hidden"},
	"suspend":              {ui + "booleanSwitch"},
}

// longest is the length up to which a description has more than one sentence.
const longest = 200

// addDescriptors adds a descriptor to the CSV for each field of spec and status of its
// CRDs. The console shows its name and description, and chooses the control for the field
// by the x-descriptors. All follow from the schema, and from the marker of the Go field
// where it has one:
//
//	+operator-sdk:csv:customresourcedefinitions:type=spec,displayName="Steps",xDescriptors="urn:alm:descriptor:com.tectonic.ui:advanced"
func addDescriptors(csv object, in objects, api *apitypes.API) error {
	for _, owned := range items(child(csv, "spec", "customresourcedefinitions"), "owned") {
		kind, _ := owned["kind"].(string)
		schema := schemaOf(in, owned)
		if schema == nil {
			return fmt.Errorf("the input has no CRD %v of version %v", owned["name"], owned["version"])
		}
		for _, part := range []string{"spec", "status"} {
			t := api.Part(kind, part)
			if t == nil {
				return fmt.Errorf("there is no Go type of the %s of %s", part, kind)
			}
			owned[part+"Descriptors"] = descriptors(part, child(schema, "properties", part), api.Flat(t))
		}
	}
	return nil
}

func schemaOf(in objects, owned object) object {
	name, _ := owned["name"].(string)
	for _, version := range items(child(in[[2]string{"CustomResourceDefinition", name}], "spec"), "versions") {
		if version["name"] == owned["version"] {
			return child(version, "schema", "openAPIV3Schema")
		}
	}
	return nil
}

// descriptors returns descriptors in the order of the Go type. The fields of an inlined
// type of Kubernetes follow, those that are required first.
func descriptors(part string, schema object, fields []apitypes.Field) []any {
	properties := child(schema, "properties")
	var found []any
	done := map[string]bool{}
	for _, f := range fields {
		if field := child(properties, f.Name); field != nil {
			done[f.Name] = true
			name, more := marker(f.Markers)
			d := descriptor(f.Name, field, append(xDescriptors(part, f.Name, field), more...))
			if name != "" {
				d["displayName"] = name
			}
			found = append(found, d)
		}
	}
	required, _ := schema["required"].([]any)
	for _, first := range []bool{true, false} {
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			if done[name] || slices.Contains(required, any(name)) != first {
				continue
			}
			field := child(properties, name)
			x := ofJobSpec[name]
			if x == nil {
				x = xDescriptors(part, name, field)
				if !first {
					x = append(x, ui+"advanced")
				}
			}
			found = append(found, descriptor(name, field, x))
		}
	}
	return found
}

func descriptor(name string, schema object, x []string) object {
	doc, _ := schema["description"].(string)
	var list []any
	for _, one := range x {
		list = append(list, one)
	}
	return object{
		"path":          name,
		"displayName":   displayName(name),
		"description":   description(name, doc),
		"x-descriptors": list,
	}
}

func xDescriptors(part, name string, schema object) []string {
	switch {
	case schema["format"] == "byte":
		return []string{ui + "hidden"}
	case part == "status" && ofStatus[name] != "":
		return []string{ofStatus[name]}
	case part == "status":
		return []string{plainText}
	case schema["enum"] != nil:
		var choices []string
		for _, value := range schema["enum"].([]any) {
			choices = append(choices, fmt.Sprintf("%sselect:%v", ui, value))
		}
		return choices
	case schema["type"] == "boolean":
		return []string{ui + "booleanSwitch"}
	case schema["type"] == "integer":
		return []string{ui + "number"}
	case child(schema, "items", "properties") != nil:
		return []string{ui + "arrayFieldGroup:" + name}
	case child(schema, "properties") != nil:
		return []string{ui + "fieldGroup:" + name}
	}
	return []string{ui + "text"}
}

// displayName returns the words of a JSON name: "Start on" for startOn.
func displayName(name string) string {
	var words strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			words.WriteByte(' ')
		}
		words.WriteRune(unicode.ToLower(r))
	}
	first, rest, more := strings.Cut(words.String(), " ")
	if first = apitypes.UpperFirst(first); first == "Ttl" {
		first = "TTL"
	}
	if !more {
		return first
	}
	return first + " " + rest
}

// description returns the first sentence of a field's comment, and more if it is short,
// its default and its mutability.
func description(name, doc string) string {
	c := apitypes.ParseComment(doc)
	var text string
	for i, sentence := range c.Meaning {
		if i == 0 {
			text = apitypes.WithoutName(name, sentence)
			continue
		}
		if len(text)+len(sentence) >= longest {
			break
		}
		text += " " + sentence
	}
	if c.Default != "" {
		text += " Default: " + c.Default + "."
	}
	if except, ok := strings.CutPrefix(c.Changes, "no"); ok {
		text += " Immutable" + except + "."
	} else if c.Changes != "" {
		text += " May change " + c.Changes + "."
	}
	return text
}

// marker returns the name and the x-descriptors in a field's marker of the Operator SDK.
func marker(markers []string) (name string, x []string) {
	for _, marker := range markers {
		arguments, found := strings.CutPrefix(marker, "operator-sdk:csv:customresourcedefinitions:")
		if !found {
			continue
		}
		if _, after, found := strings.Cut(arguments, `displayName="`); found {
			name, _, _ = strings.Cut(after, `"`)
		}
		if _, after, found := strings.Cut(arguments, "xDescriptors="); found {
			for one := range strings.SplitSeq(strings.Trim(after, "{}"), ",") {
				x = append(x, strings.Trim(one, `"`))
			}
		}
	}
	return name, x
}
