package misuse

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// with is a copy of the object in which the property has the value. What it takes to
// get there is made as small as the schema allows.
func with(base *unstructured.Unstructured, p *property, v value) *unstructured.Unstructured {
	edited := base.DeepCopy()
	edited.Object = set(edited.Object, p.path, append([]*schema{nil}, p.schemas...), v).(map[string]any)
	return edited
}

// set goes one step down the path. schemas[0] is of the container itself.
func set(container any, path []string, schemas []*schema, v value) any {
	child := func(current any, found bool) any {
		if len(path) == 1 {
			return runtime.DeepCopyJSONValue(v.content)
		}
		if !found || current == nil {
			current = minimal(schemas[1])
		}
		return set(current, path[1:], schemas[1:], v)
	}
	if path[0] == firstItem {
		list, _ := container.([]any)
		if len(path) == 1 && v.removed {
			return list[min(1, len(list)):]
		}
		if len(list) == 0 {
			return []any{child(nil, false)}
		}
		list[0] = child(list[0], true)
		return list
	}
	object, _ := container.(map[string]any)
	if object == nil {
		object = map[string]any{}
	}
	key := path[0]
	if key == anEntry {
		key = entryKey
	}
	if len(path) == 1 && v.removed {
		delete(object, key)
		return object
	}
	current, found := object[key]
	object[key] = child(current, found)
	return object
}
