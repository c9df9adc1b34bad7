package metrics

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
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
		previous, next := &statuses[i], &statuses[i+1]
		Transition(kind, &previous.Summary, &next.Summary, previous.Flows, next.Flows)
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
	if n := testutil.CollectAndCount(duration); n != 1 {
		t.Errorf("%d series of durations, want 1", n)
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
	objects := []client.Object{flow("a", v1alpha1.StateRunning), flow("b", v1alpha1.StateRunning), flow("c", "")}
	CountObjects(fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build())
	t.Cleanup(func() { cached.Store(nil) })

	got := map[string]float64{}
	collected := make(chan prometheus.Metric, 100)
	objectCollector{}.Collect(collected)
	close(collected)
	for metric := range collected {
		var out dto.Metric
		if err := metric.Write(&out); err != nil {
			t.Fatal(err)
		}
		if value := out.GetGauge().GetValue(); value > 0 {
			got[out.GetLabel()[0].GetValue()+" "+out.GetLabel()[1].GetValue()] = value
		}
	}
	if diff := cmp.Diff(map[string]float64{"JobFlow Running": 2, "JobFlow Pending": 1}, got); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
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
	for _, c := range []prometheus.Collector{runsStarted, runsFinished, runDuration, startDelay, finished, duration, objectCollector{}} {
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
