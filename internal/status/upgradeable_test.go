package status

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func TestUpgradeable(t *testing.T) {
	for name, tc := range map[string]struct {
		hold          bool
		flows, daemon int
		want          metav1.Condition
	}{
		"without --hold-upgrades": {
			flows: 3,
			want:  metav1.Condition{Status: metav1.ConditionTrue, Reason: "NotHeld", Message: "JobFlows and DaemonJobs go on through an upgrade; --hold-upgrades is not set."},
		},
		"nothing runs": {
			hold: true,
			want: metav1.Condition{Status: metav1.ConditionTrue, Reason: "NothingRuns", Message: "No JobFlow and no DaemonJob is Running."},
		},
		"a flow runs": {
			hold: true, flows: 1,
			want: metav1.Condition{Status: metav1.ConditionFalse, Reason: "FlowsRunning", Message: "Running: 1 JobFlow. --hold-upgrades holds upgrades until they end."},
		},
		"only a DaemonJob runs": {
			hold: true, daemon: 1,
			want: metav1.Condition{Status: metav1.ConditionFalse, Reason: "FlowsRunning", Message: "Running: 1 DaemonJob. --hold-upgrades holds upgrades until they end."},
		},
		"several run": {
			hold: true, flows: 2, daemon: 3,
			want: metav1.Condition{Status: metav1.ConditionFalse, Reason: "FlowsRunning", Message: "Running: 2 JobFlows and 3 DaemonJobs. --hold-upgrades holds upgrades until they end."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tc.want.Type = "Upgradeable"
			if diff := cmp.Diff(tc.want, Upgradeable(tc.hold, tc.flows, tc.daemon)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestInFlight(t *testing.T) {
	for state, want := range map[v1alpha1.State]bool{
		"":                        false,
		v1alpha1.StatePending:     false,
		v1alpha1.StateRunning:     true,
		v1alpha1.StateSuspended:   false,
		v1alpha1.StateTerminating: false,
		v1alpha1.StateSucceed:     false,
		v1alpha1.StateFailed:      false,
	} {
		if got := InFlight(&v1alpha1.Summary{State: state}); got != want {
			t.Errorf("%q: %t", state, got)
		}
	}
}
