package main

import (
	"fmt"
	"strings"

	"github.com/jobflow-operator/jobflow-operator/hack/tools/internal/apitypes"
)

// api is what the pages describe.
type api struct{ *apitypes.API }

// upstream has the packages to whose types the reference links.
var upstream = map[string]struct{ group, anchor string }{
	"batchv1": {group: "batch/v1", anchor: "v1-batch"},
	"corev1":  {group: "v1", anchor: "v1-core"},
	"metav1":  {group: "meta/v1", anchor: "v1-meta"},
}

const upstreamReference = "https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.37/#"

func render(a api) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<!-- Generated from the Go types by "make generate". Do not edit. -->

# API reference

Group `+"`%s`, version `%s`"+`. All kinds are namespaced. The same texts are in the cluster: `+"`kubectl explain jobflow.spec`"+`.

`, a.Group, a.Version)
	for _, k := range a.Kinds {
		fmt.Fprintf(&b, "- [%s](#%s)\n", k.Name, strings.ToLower(k.Name))
	}
	done := map[string]bool{}
	for _, k := range a.Kinds {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", k.Name, k.Doc)
		done[k.Name] = true
		a.writeFields(&b, k)
		a.writeBelow(&b, k, done)
	}
	return b.String()
}

// writeBelow writes the types that a type leads to, each once and depth first, which is
// their order in YAML.
func (a api) writeBelow(b *strings.Builder, t *apitypes.Struct, done map[string]bool) {
	for _, f := range a.Flat(t) {
		if f.Type.Package != "" || done[f.Type.Name] {
			continue
		}
		if st := a.Structs[f.Type.Name]; st != nil {
			done[st.Name] = true
			fmt.Fprintf(b, "\n### %s\n\n%s\n", st.Name, st.Doc)
			a.writeFields(b, st)
			a.writeBelow(b, st, done)
		}
		if enum := a.Enums[f.Type.Name]; enum != nil {
			done[enum.Name] = true
			fmt.Fprintf(b, "\n### %s\n\n%s\n\n| Value | Meaning |\n|---|---|\n", enum.Name, enum.Doc)
			for _, v := range enum.Values {
				fmt.Fprintf(b, "| `%s` | %s |\n", v.Value, cell(apitypes.UpperFirst(v.Doc)))
			}
		}
	}
}

func (a api) writeFields(b *strings.Builder, t *apitypes.Struct) {
	fields := a.Flat(t)
	spec := false
	for _, f := range fields {
		c := apitypes.ParseComment(f.Doc)
		spec = spec || c.Default != "" || c.Changes != ""
	}
	if spec {
		b.WriteString("\n| Field | Meaning | Default | Changes |\n|---|---|---|---|\n")
	} else {
		b.WriteString("\n| Field | Meaning |\n|---|---|\n")
	}
	for _, f := range fields {
		c := apitypes.ParseComment(f.Doc)
		name := "`" + f.Name + "`"
		if f.Name == "" {
			name = "*(inlined)*"
		}
		fmt.Fprintf(b, "| %s<br>%s | %s |", name, a.link(f.Type), cell(strings.Join(c.Meaning, " ")))
		if spec {
			fmt.Fprintf(b, " %s | %s |", cell(defaultOf(f)), cell(c.Changes))
		}
		b.WriteString("\n")
	}
}

func defaultOf(f apitypes.Field) string {
	if def := apitypes.ParseComment(f.Doc).Default; def != "" || f.Name == "" || !f.Required {
		return def
	}
	return "required"
}

func (a api) link(t apitypes.Type) string {
	text := t.Name
	switch up, known := upstream[t.Package]; {
	case t.Package == "metav1" && t.Name == "Time":
		text = "time"
	case known:
		text = fmt.Sprintf("[%s](%s%s-%s) (%s)", t.Name, upstreamReference, strings.ToLower(t.Name), up.anchor, up.group)
	case a.Structs[t.Name] != nil || a.Enums[t.Name] != nil:
		text = fmt.Sprintf("[%s](#%s)", t.Name, strings.ToLower(t.Name))
	case t.Name == "byte":
		return "base64 string"
	case t.Name == "int32" || t.Name == "int64":
		text = "integer"
	case t.Name == "bool":
		text = "boolean"
	}
	switch {
	case t.List:
		return "list of " + text
	case t.Map:
		return "map of string to " + text
	}
	return text
}

func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;").Replace(s)
}
