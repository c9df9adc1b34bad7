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

// What is not documented, or documented but not used, is tested in package checks.
func TestParseReference(t *testing.T) {
	got, err := ParseReference(markdown)
	if err != nil {
		t.Fatal(err)
	}
	want := Reference{"Conditions": {"Done"}, "OperatorCondition": {"Calm"}, "Reasons": {"Slow", "Gone"}, "Events": {"Started"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseReferenceRefusesADocumentWithoutASection(t *testing.T) {
	_, err := ParseReference(strings.ReplaceAll(markdown, "## Events", "## Things"))
	if err == nil || !strings.Contains(err.Error(), "## Events") {
		t.Errorf("the error does not name the section: %v", err)
	}
}
