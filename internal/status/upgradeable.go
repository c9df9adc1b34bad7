package status

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// InFlight reports whether an upgrade would interrupt the work of an object. An object that
// is Pending has not begun, one that is Suspended may stay so for weeks, and the garbage
// collector takes care of one that is Terminating.
func InFlight(summary *v1alpha1.Summary) bool {
	return summary.State == v1alpha1.StateRunning
}

// Upgradeable returns the condition of that type for OLM, with the number of JobFlows and
// DaemonJobs in flight. With hold, OLM has to wait for their end.
func Upgradeable(hold bool, flows, daemonJobs int) metav1.Condition {
	condition := metav1.Condition{Type: "Upgradeable", Status: metav1.ConditionTrue}
	switch {
	case !hold:
		condition.Reason = v1alpha1.ReasonNotHeld
		condition.Message = "JobFlows and DaemonJobs go on through an upgrade; --hold-upgrades is not set."
	case flows+daemonJobs == 0:
		condition.Reason = v1alpha1.ReasonNothingRuns
		condition.Message = "No JobFlow and no DaemonJob is Running."
	default:
		condition.Status = metav1.ConditionFalse
		condition.Reason = v1alpha1.ReasonFlowsRunning
		condition.Message = fmt.Sprintf("Running: %s. --hold-upgrades holds upgrades until they end.", countInWords(flows, daemonJobs))
	}
	return condition
}

func countInWords(flows, daemonJobs int) string {
	var parts []string
	for _, part := range []struct {
		count int
		kind  string
	}{{flows, v1alpha1.KindJobFlow}, {daemonJobs, v1alpha1.KindDaemonJob}} {
		switch part.count {
		case 0:
		case 1:
			parts = append(parts, "1 "+part.kind)
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", part.count, part.kind))
		}
	}
	return strings.Join(parts, " and ")
}
