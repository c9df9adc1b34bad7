package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTableOf(t *testing.T) {
	got, err := tableOf([]byte(`
# What it
# is called.
name: ""
group:
  # Yes | no.
  on: true
  deeper:
    # A list.
    list: [a, b]
# A mapping without comments is one value.
resources:
  limits:
    cpu: 50m
# Words.
words: some words
`))
	if err != nil {
		t.Fatal(err)
	}
	want := "| value | default | meaning |\n|---|---|---|\n" +
		"| `name` | `\"\"` | What it is called. |\n" +
		"| `group.on` | `true` | Yes \\| no. |\n" +
		"| `group.deeper.list` | `[\"a\",\"b\"]` | A list. |\n" +
		"| `resources` | `{\"limits\":{\"cpu\":\"50m\"}}` | A mapping without comments is one value. |\n" +
		"| `words` | `some words` | Words. |\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestTableOfWantsComments(t *testing.T) {
	_, err := tableOf([]byte("group:\n  # On.\n  on: true\n  off: false\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "group.off, in line 4, has no comment") {
		t.Errorf("got %v", err)
	}
}

func TestInsert(t *testing.T) {
	readme := "# Chart\n" + begin + "old\n" + end + "Tail\n"
	got, err := insert([]byte(readme), "new\n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("# Chart\n"+begin+"new\n"+end+"Tail\n", string(got)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for name, readme := range map[string]string{"no begin": "# Chart\n", "no end": begin} {
		if _, err := insert([]byte(readme), "new\n"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
