package controllers

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func TestWhichUpdatesOfParentsMatter(t *testing.T) {
	template := func(uid string, generation int64, uses int32) *v1alpha1.JobTemplate {
		template := &v1alpha1.JobTemplate{Status: v1alpha1.JobTemplateStatus{Dependencies: uses}}
		template.SetUID(types.UID(uid))
		template.SetGeneration(generation)
		return template
	}
	updates := func(p predicate.Predicate) func(before, after any) bool {
		return func(before, after any) bool {
			return p.Update(event.UpdateEvent{ObjectOld: before.(client.Object), ObjectNew: after.(client.Object)})
		}
	}
	cases := map[string]struct {
		matters       func(before, after any) bool
		before, after any
		want          bool
	}{
		"a JobTemplate is used by one more": {updates(specChanged()), template("t", 1, 0), template("t", 1, 1), false},
		"a JobTemplate is edited":           {updates(specChanged()), template("t", 1, 0), template("t", 2, 0), true},
		"a JobTemplate is another one now":  {updates(specChanged()), template("t", 1, 0), template("u", 1, 0), true},
		"a JobFlow goes on":                 {updates(createdOrDeleted()), flowAt("u", "1"), flowAt("u", "2"), false},
		"a JobFlow is another one now":      {updates(createdOrDeleted()), flowAt("u", "1"), flowAt("v", "2"), true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.matters(c.before, c.after); got != c.want {
				t.Errorf("matters: %v", got)
			}
		})
	}
}
