package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The marks between which the table is.
const (
	begin = "<!-- values: made by make chart -->\n"
	end   = "<!-- end of values -->\n"
)

func insert(readme []byte, table string) ([]byte, error) {
	head, rest, ok := bytes.Cut(readme, []byte(begin))
	if !ok {
		return nil, fmt.Errorf("there is no line %q", strings.TrimSpace(begin))
	}
	_, tail, ok := bytes.Cut(rest, []byte(end))
	if !ok {
		return nil, fmt.Errorf("there is no line %q", strings.TrimSpace(end))
	}
	return bytes.Join([][]byte{head, []byte(begin), []byte(table), []byte(end), tail}, nil), nil
}

// tableOf returns the table of all values, in their order.
func tableOf(values []byte) (string, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(values, &document); err != nil {
		return "", err
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return "", errors.New("is not a mapping")
	}
	var table strings.Builder
	table.WriteString("| value | default | meaning |\n|---|---|---|\n")
	if err := rows(&table, "", document.Content[0]); err != nil {
		return "", err
	}
	return table.String(), nil
}

func rows(table *strings.Builder, prefix string, mapping *yaml.Node) error {
	for i := 0; i < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		path := prefix + key.Value
		if isGroup(value) {
			if err := rows(table, path+".", value); err != nil {
				return err
			}
			continue
		}
		meaning := meaningOf(key)
		if meaning == "" {
			return fmt.Errorf("%s, in line %d, has no comment above it that says what it means", path, key.Line)
		}
		standard, err := inline(value)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		fmt.Fprintf(table, "| `%s` | `%s` | %s |\n", path, standard, strings.ReplaceAll(meaning, "|", `\|`))
	}
	return nil
}

// isGroup reports whether a mapping contains values, each with its comment, and is not a value
// itself.
func isGroup(node *yaml.Node) bool {
	if node.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i < len(node.Content); i += 2 {
		if node.Content[i].HeadComment != "" || isGroup(node.Content[i+1]) {
			return true
		}
	}
	return false
}

func meaningOf(key *yaml.Node) string {
	var words []string
	for line := range strings.Lines(key.HeadComment) {
		words = append(words, strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "#")))
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

// inline returns a value on one line.
func inline(node *yaml.Node) (string, error) {
	var value any
	if err := node.Decode(&value); err != nil {
		return "", err
	}
	if text, ok := value.(string); ok && text != "" {
		return text, nil
	}
	short, err := json.Marshal(value)
	return string(short), err
}
