package misuse

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// value is one value that a property is given.
type value struct {
	name    string
	content any
	// removed has the property left out instead.
	removed bool
}

const (
	longString = 300
	hugeString = 70_000
	longList   = 1100
)

// valuesFor are the values for a property: right ones, and those that people and
// programs get wrong.
func valuesFor(p *property) []value {
	s := p.schema()
	values := []value{{name: "left out", removed: true}, {name: "null", content: nil}}
	add := func(name string, content any) { values = append(values, value{name: name, content: content}) }
	switch {
	case s.XIntOrString:
		for _, text := range []string{"1", "-1", "50%", "1e1.5", "1e99999", "12EiB", "0.0000000001", "abc", "", strings.Repeat("9", 40)} {
			add("'"+text+"'", text)
		}
		numbers(add)
		add("a boolean", true)
	case s.Type == "string":
		for i := range s.Enum {
			var known string
			if json.Unmarshal(s.Enum[i].Raw, &known) == nil {
				add(known, known)
			}
		}
		for _, text := range []string{"", "misuse", "n1", "two", "UPPER", "with blanks", "-dash-", "a.b/c", "naïve-日本-🚀", "two\nlines", "$(VAR)", "0"} {
			add("'"+text+"'", text)
		}
		add("300 characters", strings.Repeat("x", longString))
		add("70000 characters", strings.Repeat("x", hugeString))
		add("a number", int64(5))
		add("a list", []any{})
	case s.Type == "integer", s.Type == "number":
		numbers(add)
		add("a string", "1")
		add("a boolean", true)
	case s.Type == "boolean":
		add("true", true)
		add("false", false)
		add("a string", "true")
		add("a number", int64(1))
	case s.Type == "array":
		item := minimal(s.Items.Schema)
		add("empty", []any{})
		add("one item", []any{item})
		add("the same item twice", []any{item, item})
		add("null as an item", []any{nil})
		add("1100 items", repeated(item, longList))
		add("a string", "x")
		add("an object", map[string]any{})
	case s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil:
		entry := minimal(s.AdditionalProperties.Schema)
		add("empty", map[string]any{})
		for _, key := range []string{"misuse", "", "with blanks", "example.com/misuse", "a/b/c", "api.practice.com/kind", "batch.kubernetes.io/job-name", strings.Repeat("k", longString)} {
			add("the key '"+clipped(key)+"'", map[string]any{key: entry})
		}
		add("a string", "x")
		add("a list", []any{})
	default:
		add("empty", map[string]any{})
		add("what is required", minimal(s))
		add("a field that is unknown", map[string]any{"nosuchfield": "x"})
		add("a string", "x")
		add("a list", []any{})
	}
	return values
}

func numbers(add func(string, any)) {
	for _, n := range []int64{0, 1, 3, -1} {
		add(strconv.FormatInt(n, 10), n)
	}
	add("the largest of 32 bits", int64(math.MaxInt32))
	add("one more than 32 bits hold", int64(math.MaxInt32)+1)
	add("the largest of 64 bits", int64(math.MaxInt64))
	add("more than 64 bits hold", 1e20)
	add("a fraction", 1.5)
}

// minimal is the smallest value that the schema takes: what is required, and no more.
func minimal(s *schema) any {
	switch {
	case s.XIntOrString:
		return int64(1)
	case s.Type == "string":
		if len(s.Enum) > 0 {
			var known string
			if json.Unmarshal(s.Enum[0].Raw, &known) == nil {
				return known
			}
		}
		return "misuse"
	case s.Type == "integer", s.Type == "number":
		return int64(1)
	case s.Type == "boolean":
		return true
	case s.Type == "array":
		return []any{}
	}
	object := map[string]any{}
	for _, name := range s.Required {
		child := s.Properties[name]
		object[name] = minimal(&child)
	}
	return object
}

func repeated(item any, times int) []any {
	list := make([]any, times)
	for i := range list {
		list[i] = item
	}
	return list
}

// clipped keeps the names of values readable.
func clipped(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
