package main

import (
	"fmt"
	"strings"
)

// upstream are the packages whose types the reference links to.
var upstream = map[string]struct{ group, anchor string }{
	"batchv1": {group: "batch/v1", anchor: "v1-batch"},
	"corev1":  {group: "v1", anchor: "v1-core"},
	"metav1":  {group: "meta/v1", anchor: "v1-meta"},
}

const upstreamReference = "https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.37/#"

func render(a *api) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<!-- Generated from the Go types by "make generate". Do not edit. -->

# API reference

Group `+"`%s`, version `%s`"+`. All kinds are namespaced. The same texts are in the cluster: `+"`kubectl explain jobflow.spec`"+`.

`, a.group, a.version)
	for _, k := range a.kinds {
		fmt.Fprintf(&b, "- [%s](#%s)\n", k.name, strings.ToLower(k.name))
	}
	done := map[string]bool{}
	for _, k := range a.kinds {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", k.name, k.doc)
		done[k.name] = true
		a.writeFields(&b, k)
		a.writeBelow(&b, k, done)
	}
	return b.String()
}

// writeBelow writes the types that a type leads to, each once, depth first: they
// come in the order in which they stand in YAML.
func (a *api) writeBelow(b *strings.Builder, t *structType, done map[string]bool) {
	for _, f := range a.flat(t) {
		if f.typ.pkg != "" || done[f.typ.name] {
			continue
		}
		if st := a.structs[f.typ.name]; st != nil {
			done[st.name] = true
			fmt.Fprintf(b, "\n### %s\n\n%s\n", st.name, st.doc)
			a.writeFields(b, st)
			a.writeBelow(b, st, done)
		}
		if enum := a.enums[f.typ.name]; enum != nil {
			done[enum.name] = true
			fmt.Fprintf(b, "\n### %s\n\n%s\n\n| Value | Meaning |\n|---|---|\n", enum.name, enum.doc)
			for _, v := range enum.values {
				fmt.Fprintf(b, "| `%s` | %s |\n", v.value, cell(upperFirst(v.doc)))
			}
		}
	}
}

func (a *api) writeFields(b *strings.Builder, t *structType) {
	fields := a.flat(t)
	spec := false
	for _, f := range fields {
		_, def, change := split(f.doc)
		spec = spec || def != "" || change != ""
	}
	if spec {
		b.WriteString("\n| Field | Meaning | Default | Changes |\n|---|---|---|---|\n")
	} else {
		b.WriteString("\n| Field | Meaning |\n|---|---|\n")
	}
	for _, f := range fields {
		meaning, def, change := split(f.doc)
		name := "`" + f.name + "`"
		if f.name == "" {
			name = "*(inlined)*"
		}
		if spec && f.required && f.name != "" && def == "" {
			def = "required"
		}
		fmt.Fprintf(b, "| %s<br>%s | %s |", name, a.link(f.typ), cell(meaning))
		if spec {
			fmt.Fprintf(b, " %s | %s |", cell(def), cell(change))
		}
		b.WriteString("\n")
	}
}

// flat are the fields of a type as they stand in YAML: an embedded type of ours
// is replaced by its fields, what every object has is left out.
func (a *api) flat(t *structType) []field {
	var out []field
	for _, f := range t.fields {
		embedded := f.name == ""
		switch {
		case f.typ.pkg == "metav1" && (f.typ.name == "TypeMeta" || f.typ.name == "ObjectMeta"):
		case embedded && f.typ.pkg == "":
			out = append(out, a.flat(a.structs[f.typ.name])...)
		default:
			out = append(out, f)
		}
	}
	return out
}

func (a *api) link(t goType) string {
	text := t.name
	switch up, known := upstream[t.pkg]; {
	case t.pkg == "metav1" && t.name == "Time":
		text = "time"
	case known:
		text = fmt.Sprintf("[%s](%s%s-%s) (%s)", t.name, upstreamReference, strings.ToLower(t.name), up.anchor, up.group)
	case a.structs[t.name] != nil || a.enums[t.name] != nil:
		text = fmt.Sprintf("[%s](#%s)", t.name, strings.ToLower(t.name))
	case t.name == "byte":
		return "base64 string"
	case t.name == "int32" || t.name == "int64":
		text = "integer"
	case t.name == "bool":
		text = "boolean"
	}
	switch {
	case t.list:
		return "list of " + text
	case t.mapped:
		return "map of string to " + text
	}
	return text
}

// split parts a field's comment into its meaning, default and mutability.
func split(doc string) (meaning, def, change string) {
	var kept []string
	for _, sentence := range sentences(doc) {
		switch {
		case strings.HasPrefix(sentence, "Default: "):
			def = strings.TrimSuffix(strings.TrimPrefix(sentence, "Default: "), ".")
		case strings.HasPrefix(sentence, "Immutable"):
			change = "no"
		case strings.HasPrefix(sentence, "May change "):
			change = strings.TrimSuffix(strings.TrimPrefix(sentence, "May change "), ".")
		default:
			kept = append(kept, sentence)
		}
	}
	// A comment that begins with a field's name keeps it as it is written in YAML.
	return strings.Join(kept, " "), def, change
}

func sentences(text string) []string {
	var out []string
	for {
		end := strings.Index(text, ". ")
		if end < 0 {
			break
		}
		out = append(out, text[:end+1])
		text = text[end+2:]
	}
	if text != "" {
		out = append(out, text)
	}
	return out
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;").Replace(s)
}
