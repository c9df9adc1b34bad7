package metrics

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
)

func at(second int64) *metav1.Time {
	t := metav1.NewTime(time.Unix(second, 0))
	return &t
}

// A flow of two steps, from its first status to its end.
func TestTransitions(t *testing.T) {
	const kind = "TestTransitions"
	statuses := []v1alpha1.JobFlowStatus{
		{},
		{
			Summary: v1alpha1.Summary{State: v1alpha1.StateRunning, StartTime: at(0)},
			Flows:   []v1alpha1.RunStatus{{Name: "a", Phase: v1alpha1.PhaseRunning, JobUID: "1", StartTime: at(0)}, {Name: "b", Phase: v1alpha1.PhaseWaiting}},
		},
		{
			Summary: v1alpha1.Summary{State: v1alpha1.StateRunning, StartTime: at(0), Succeeded: 1},
			Flows: []v1alpha1.RunStatus{
				{Name: "a", Phase: v1alpha1.PhaseSucceeded, JobUID: "1", StartTime: at(0), CompletionTime: at(10)},
				{Name: "b", Phase: v1alpha1.PhaseRunning, JobUID: "2", StartTime: at(10)},
			},
		},
		{
			Summary: v1alpha1.Summary{State: v1alpha1.StateFailed, StartTime: at(0), CompletionTime: at(30), Succeeded: 1, Failed: 1},
			Flows: []v1alpha1.RunStatus{
				{Name: "a", Phase: v1alpha1.PhaseSucceeded, JobUID: "1", StartTime: at(0), CompletionTime: at(10)},
				{Name: "b", Phase: v1alpha1.PhaseFailed, JobUID: "2", StartTime: at(10), CompletionTime: at(30)},
			},
		},
	}
	statuses = append(statuses, statuses[3]) // written once more, for another field
	for i := range statuses[1:] {
		Transition(kind, status.Compare(&statuses[i], &statuses[i+1]))
	}
	for name, got := range map[string]float64{
		"started":   testutil.ToFloat64(runsStarted.WithLabelValues(kind)) - 1,
		"succeeded": testutil.ToFloat64(runsFinished.WithLabelValues(kind, "Succeeded")),
		"failed":    testutil.ToFloat64(runsFinished.WithLabelValues(kind, "Failed")),
		"flows":     testutil.ToFloat64(finished.WithLabelValues(kind, "Failed")),
	} {
		if got != 1 {
			t.Errorf("%s: %v too many or too few", name, got-1)
		}
	}
	observed := &dto.Metric{}
	if err := duration.WithLabelValues(kind, "Failed").(prometheus.Metric).Write(observed); err != nil {
		t.Fatal(err)
	}
	if h := observed.GetHistogram(); h.GetSampleCount() != 1 || h.GetSampleSum() != 30 {
		t.Errorf("durations: %v, want one of 30 s", h)
	}
}

func TestObjectsAreCountedFromTheCache(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	flow := func(name string, state v1alpha1.State) *v1alpha1.JobFlow {
		f := &v1alpha1.JobFlow{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns"}}
		f.Status.State = state
		return f
	}
	busy := flow("busy", v1alpha1.StateRunning)
	busy.Status.Running = 1
	busy.Status.Flows = []v1alpha1.RunStatus{
		{Name: "a", Phase: v1alpha1.PhaseRunning, StartTime: at(1)},
		{Name: "b", Phase: v1alpha1.PhaseWaiting, Reason: v1alpha1.ReasonDependency},
	}
	heldSince := func(name string, second int64) *v1alpha1.JobFlow {
		f := flow(name, v1alpha1.StateRunning)
		f.Status.Flows = []v1alpha1.RunStatus{{Name: "a", Phase: v1alpha1.PhaseWaiting, Reason: v1alpha1.ReasonImagePull, StartTime: at(second)}}
		return f
	}
	unseen := flow("unseen", "")
	unseen.CreationTimestamp = *at(990)
	objects := []client.Object{busy, heldSince("c", 100), heldSince("d", 900), unseen}
	now := func() time.Time { return time.Unix(1000, 0) }
	CountObjects(fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build(), now)
	t.Cleanup(func() { cached.Store(nil) })

	registry := prometheus.NewRegistry()
	registry.MustRegister(objectCollector{})
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if value := metric.GetGauge().GetValue(); value > 0 {
				got[family.GetName()+" "+metric.GetLabel()[0].GetValue()+" "+metric.GetLabel()[1].GetValue()] = value
			}
		}
	}
	want := map[string]float64{
		"jobflow_objects JobFlow Running":           3,
		"jobflow_objects JobFlow Pending":           1,
		"jobflow_waiting_runs JobFlow Dependency":   1,
		"jobflow_waiting_runs JobFlow ImagePull":    2,
		"jobflow_stalled_objects JobFlow ImagePull": 2,
		"jobflow_stalled_seconds JobFlow ImagePull": 900,
		"jobflow_stalled_objects JobFlow Unknown":   1,
		"jobflow_stalled_seconds JobFlow Unknown":   10,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

func TestReconcileErrorsByTheAnswer(t *testing.T) {
	const kind = "TestReconcileErrors"
	jobs := schema.GroupResource{Group: "batch", Resource: "jobs"}
	forbidden := apierrors.NewForbidden(jobs, "a", errors.New("no"))
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"no answer":     {errors.New("connection refused"), unknown},
		"wrapped":       {fmt.Errorf("creating Job a: %w", forbidden), "Forbidden"},
		"one of some":   {errors.Join(errors.New("other"), forbidden), "Forbidden"},
		"not on a list": {apierrors.NewResourceExpired("expired"), unknown},
	} {
		t.Run(name, func(t *testing.T) {
			counter := reconcileErrors.WithLabelValues(kind, test.want)
			before := testutil.ToFloat64(counter)
			ReconcileFailed(kind, test.err)
			if after := testutil.ToFloat64(counter); after != before+1 {
				t.Errorf("%s went from %v to %v", test.want, before, after)
			}
		})
	}
}

// increase() does not see the first of a series that begins with it.
func TestFailuresAreServedBeforeTheFirst(t *testing.T) {
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]int{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "kind" && label.GetValue() == v1alpha1.KindJobFlow {
					series[family.GetName()]++
				}
			}
		}
	}
	for name, want := range map[string]int{
		"jobflow_runs_started_total":     1,
		"jobflow_runs_finished_total":    2,
		"jobflow_run_duration_seconds":   2,
		"jobflow_finished_total":         2,
		"jobflow_duration_seconds":       2,
		"jobflow_reconcile_errors_total": len(errorReasons),
	} {
		if series[name] != want {
			t.Errorf("%s has %d series of JobFlows, want %d", name, series[name], want)
		}
	}
}

// What is served is documented, and what is documented is served.
func TestMetricsAreDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "guide", "running.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := sets.New(regexp.MustCompile("(?m)^\\| `(jobflow_[a-z_]+)`").FindAllString(string(page), -1)...)
	described := make(chan *prometheus.Desc, 100)
	for _, c := range collectors {
		c.Describe(described)
	}
	close(described)
	served := sets.New[string]()
	for desc := range described {
		name := regexp.MustCompile(`fqName: "([^"]+)"`).FindStringSubmatch(desc.String())[1]
		served.Insert("| `" + name + "`")
	}
	if diff := cmp.Diff(sets.List(served), sets.List(documented)); diff != "" {
		t.Errorf("docs/guide/running.md (-served +documented):\n%s", diff)
	}
}
