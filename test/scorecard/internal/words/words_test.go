package words

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const markdown = `
## Conditions

| Condition | Meaning |
|---|---|
| ` + "`Done`" + ` | It is done. |

## OperatorCondition

| ` + "`Calm`" + ` | It may be replaced. |

## Reasons

### Of a step

| ` + "`Slow`" + ` | It takes its time. |
| ` + "`Gone`" + ` | It has gone. |

## Events

| ` + "`Started`" + ` | It has started. |
`

func parsed(t *testing.T) Reference {
	t.Helper()
	reference, err := ParseReference(markdown)
	if err != nil {
		t.Fatal(err)
	}
	return reference
}

func TestParseReference(t *testing.T) {
	want := Reference{"Conditions": {"Done"}, "OperatorCondition": {"Calm"}, "Reasons": {"Slow", "Gone"}, "Events": {"Started"}}
	if diff := cmp.Diff(want, parsed(t)); diff != "" {
		t.Error(diff)
	}
}

func TestParseReferenceRefusesADocumentWithoutASection(t *testing.T) {
	_, err := ParseReference(strings.ReplaceAll(markdown, "## Events", "## Things"))
	if err == nil || !strings.Contains(err.Error(), "## Events") {
		t.Errorf("the error does not name the section: %v", err)
	}
}

func TestUndocumented(t *testing.T) {
	emitted := []Word{
		{Condition, "Done", "a.go:1"},
		{Condition, "Calm", "a.go:1"},
		{Reason, "Slow", "a.go:2"},
		// An event has to be documented as one.
		{Event, "Slow", "a.go:3"},
		{Reason, "New", "a.go:4"},
	}
	want := []string{
		"a.go:3: the event \"Slow\" is not in docs/status-reference.md; add a row that begins with | `Slow` | under \"## Events\"",
		"a.go:4: the reason \"New\" is not in docs/status-reference.md; add a row that begins with | `New` | under \"## Reasons\"",
	}
	if diff := cmp.Diff(want, Undocumented(emitted, parsed(t))); diff != "" {
		t.Error(diff)
	}
}

func TestUnused(t *testing.T) {
	emitted := []Word{{Condition, "Done", "a.go:1"}, {Condition, "Calm", "a.go:1"}, {Reason, "Slow", "a.go:2"}, {Event, "Started", "a.go:3"}}
	want := []string{`docs/status-reference.md, ## Reasons: no code writes the reason "Gone"; remove its row`}
	if diff := cmp.Diff(want, Unused(emitted, parsed(t))); diff != "" {
		t.Error(diff)
	}
}
