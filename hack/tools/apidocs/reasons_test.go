package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const reasonsSource = `package v1

const (
	ReasonIdle = "Idle"
	ReasonBusy = "Busy"
	ReasonGone = "Gone"
)

const PlaceWaiting, PlaceFailed Place = "waiting", "failed"

const ActorPerson Actor = "a person"

var Reasons = []Reason{
	{Name: ReasonIdle, Places: []Place{PlaceWaiting}, Actor: ActorPerson, Meaning: "It " + "rests.", Advice: "Wake it."},
	{Name: ReasonBusy, Places: []Place{PlaceWaiting, PlaceFailed}, Meaning: "It works."},
	{Name: ReasonGone, Places: []Place{PlaceFailed}, Actor: ActorPerson, Meaning: "It left."},
}
`

const page = `# Page

<!-- reasons: waiting -->
old
<!-- end of reasons -->

Between.

<!-- reasons: failed -->
<!-- end of reasons -->
<!-- reasons: blocking, without Gone -->
<!-- end of reasons -->
After.
`

const pageWritten = `# Page

<!-- reasons: waiting -->

| Reason | Meaning | Who has to act | What to do |
| --- | --- | --- | --- |
| ` + "`Idle`" + ` | It rests. | a person | Wake it. |
| ` + "`Busy`" + ` | It works. |  |  |

<!-- end of reasons -->

Between.

<!-- reasons: failed -->

` + "`Busy`" + ` (above) is one of these too.

| Reason | Meaning |
| --- | --- |
| ` + "`Gone`" + ` | It left. |

<!-- end of reasons -->
<!-- reasons: blocking, without Gone -->

| Reason | Meaning | What to do |
| --- | --- | --- |
| ` + "`Idle`" + ` | It rests. | Wake it. |

<!-- end of reasons -->
After.
`

func TestTablesOfReasons(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "reasons.go"), []byte(reasonsSource), 0o600); err != nil {
		t.Fatal(err)
	}
	table, err := loadReasons(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, before := range []string{page, pageWritten} {
		got, err := writeReasons(before, table)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(pageWritten, got); diff != "" {
			t.Errorf("page (-want +got):\n%s", diff)
		}
	}
	if _, err := writeReasons("<!-- reasons: waiting -->\n", table); err == nil {
		t.Error("a table without an end is accepted")
	}
}
