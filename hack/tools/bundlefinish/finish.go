package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"sigs.k8s.io/yaml"
)

type object = map[string]any

// objects has manifests by kind and name.
type objects map[[2]string]object

func parse(content []byte) (objects, error) {
	found := objects{}
	for document := range bytes.SplitSeq(content, []byte("\n---\n")) {
		var o object
		if err := yaml.Unmarshal(document, &o); err != nil {
			return nil, err
		}
		if o != nil {
			found[key(o)] = o
		}
	}
	return found, nil
}

func key(o object) [2]string {
	kind, _ := o["kind"].(string)
	name, _ := child(o, "metadata")["name"].(string)
	return [2]string{kind, name}
}

// child returns the object in a field of another, or nil.
func child(o object, fields ...string) object {
	for _, field := range fields {
		o, _ = o[field].(object)
	}
	return o
}

// items returns the objects of the list in a field.
func items(o object, field string) []object {
	list, _ := o[field].([]any)
	var found []object
	for _, item := range list {
		if o, ok := item.(object); ok {
			found = append(found, o)
		}
	}
	return found
}

// finishManifest returns what replaces a generated object, or nil if it is removed.
func finishManifest(generated object, in objects) (object, error) {
	source, ok := in[key(generated)]
	if !ok {
		return nil, fmt.Errorf("the input has no %v", key(generated))
	}
	if generated["kind"] == "Service" && servesWebhooks(source, in) {
		return nil, nil
	}
	// OLM chooses the namespace.
	delete(child(source, "metadata"), "namespace")
	return source, nil
}

// dropped returns the manifests that operator-sdk drops although OLM installs them, by the
// names of their files.
func dropped(in objects) map[string]object {
	found := map[string]object{}
	for id, source := range in {
		if id[0] == "NetworkPolicy" {
			delete(child(source, "metadata"), "namespace")
			found[id[1]+"_networking.k8s.io_v1_networkpolicy.yaml"] = source
		}
	}
	return found
}

func servesWebhooks(service object, in objects) bool {
	for id, configuration := range in {
		if id[0] != "ValidatingWebhookConfiguration" && id[0] != "MutatingWebhookConfiguration" {
			continue
		}
		for _, webhook := range items(configuration, "webhooks") {
			if child(webhook, "clientConfig", "service")["name"] == child(service, "metadata")["name"] {
				return true
			}
		}
	}
	return false
}

func finishCSV(csv object, in objects, icon []byte) error {
	annotations, spec := child(csv, "metadata", "annotations"), child(csv, "spec")
	if annotations == nil || spec == nil {
		return errors.New("the CSV has no annotations or no spec")
	}
	createdAt, err := createdAt(in)
	if err != nil {
		return err
	}
	annotations["createdAt"] = createdAt
	spec["icon"] = []any{object{
		"base64data": base64.StdEncoding.EncodeToString(icon),
		"mediatype":  "image/svg+xml",
	}}
	var related []any
	for _, deployment := range items(child(spec, "install", "spec"), "deployments") {
		pod := child(deployment, "spec", "template", "spec")
		for _, container := range append(items(pod, "initContainers"), items(pod, "containers")...) {
			related = append(related, object{"name": container["name"], "image": container["image"]})
			if container["name"] == "manager" {
				annotations["containerImage"] = container["image"]
			}
		}
	}
	if annotations["containerImage"] == nil {
		return errors.New("no container of the Deployments is named manager")
	}
	spec["relatedImages"] = related
	return nil
}

func createdAt(in objects) (any, error) {
	for id, base := range in {
		if id[0] != "ClusterServiceVersion" {
			continue
		}
		if at := child(base, "metadata", "annotations")["createdAt"]; at != nil {
			return at, nil
		}
	}
	return nil, errors.New("the input has no CSV with the annotation createdAt")
}
