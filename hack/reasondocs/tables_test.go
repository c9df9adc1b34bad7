package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

var reasons = []v1alpha1.Reason{
	{Name: "Idle", Places: []v1alpha1.Place{v1alpha1.PlaceWaiting}, Actor: v1alpha1.ActorPerson, Meaning: "It rests.", Advice: "Wake it."},
	{Name: "Busy", Places: []v1alpha1.Place{v1alpha1.PlaceWaiting, v1alpha1.PlaceFailed}, Meaning: "It works."},
	{Name: "Gone", Places: []v1alpha1.Place{v1alpha1.PlaceFailed}, Actor: v1alpha1.ActorPerson, Meaning: "It left."},
}

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
	for _, before := range []string{page, pageWritten} {
		got, err := replaceTables(before, reasons)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(pageWritten, got); diff != "" {
			t.Errorf("page (-want +got):\n%s", diff)
		}
	}
	if _, err := replaceTables("<!-- reasons: waiting -->\n", reasons); err == nil {
		t.Error("a table without an end is accepted")
	}
}
