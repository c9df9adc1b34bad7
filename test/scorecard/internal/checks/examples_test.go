package checks

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// apiServer answers every request with the status and notes what it was asked. A
// real one is asked by make test-scorecard.
func apiServer(t *testing.T, answer metav1.Status, warning string) (connect func(rest.WarningHandler) (dynamic.Interface, error), asked *[]string) {
	t.Helper()
	asked = new([]string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var object struct{ Metadata metav1.ObjectMeta }
		if err := json.NewDecoder(r.Body).Decode(&object); err != nil {
			t.Error(err)
		}
		*asked = append(*asked, r.Method+" "+r.URL.Path+" "+r.URL.Query().Encode()+" "+object.Metadata.Name+object.Metadata.GenerateName)
		w.Header().Set("Content-Type", "application/json")
		if warning != "" {
			w.Header().Set("Warning", `299 - "`+warning+`"`)
		}
		if answer.Code == http.StatusCreated {
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte(`{"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {}}`))
			return
		}
		w.WriteHeader(int(answer.Code))
		answer.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
		answer.Status = metav1.StatusFailure
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	return func(warnings rest.WarningHandler) (dynamic.Interface, error) {
		return dynamic.NewForConfig(&rest.Config{Host: server.URL, WarningHandler: warnings})
	}, asked
}

const (
	examplesName   = "jobflow-examples-accepted"
	firstExample   = csvFile + ": metadata.annotations[alm-examples][0]"
	initialExample = csvFile + ": metadata.annotations[operatorframework.io/initialization-resource]"
)

var created = metav1.Status{Code: http.StatusCreated}

func TestExamplesAreDryRun(t *testing.T) {
	connect, asked := apiServer(t, created, "")
	got := run(t, examplesName, &Environment{Bundle: load(t, bundleWith(t)), Namespace: "tests", Connect: connect})
	if diff := cmp.Diff(pass(examplesName), got); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"POST /apis/example.com/v1/namespaces/tests/things dryRun=All&fieldValidation=Strict first-",
		"POST /apis/example.com/v1/namespaces/tests/things dryRun=All&fieldValidation=Strict initial-",
	}
	if diff := cmp.Diff(want, *asked); diff != "" {
		t.Error(diff)
	}
}

func TestExamples(t *testing.T) {
	refused := func(why string) v1alpha3.TestResult {
		return fail(examplesName, firstExample+": Thing first is refused: "+why, initialExample+": Thing initial is refused: "+why)
	}
	warned := pass(examplesName)
	warned.Suggestions = []string{firstExample + ": the API server warns: old field", initialExample + ": the API server warns: old field"}
	for scenario, tc := range map[string]struct {
		edits   []edit
		answer  metav1.Status
		warning string
		want    v1alpha3.TestResult
	}{
		"examples of which the API server warns": {answer: created, warning: "old field", want: warned},
		"an example that admission refuses": {
			answer: metav1.Status{Code: http.StatusUnprocessableEntity, Reason: metav1.StatusReasonInvalid, Message: "spec.size: too big"},
			want:   refused("spec.size: too big; mend the example"),
		},
		"tests that may not create it": {
			answer: metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: "no"},
			want: refused(`no; grant the tests' service account in the namespace "tests" "create" on "things.example.com" and on "jobs.batch", ` +
				`as config/scorecard/runner does, and name it with --service-account`),
		},
		"a cluster without the operator": {
			answer: metav1.Status{Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound, Message: "unknown"},
			want:   refused("unknown; install the operator first: the API server does not know the kind"),
		},
		"an operator that is down": {
			answer: metav1.Status{Code: http.StatusInternalServerError, Reason: metav1.StatusReasonInternalError, Message: "no answer"},
			want:   refused("no answer; is the operator up? Its webhook has to answer"),
		},
		"an example of an unknown version": {
			edits:  []edit{{csvFile, `[{"apiVersion": "example.com/v1"`, `[{"apiVersion": "example.com/v2"`}},
			answer: created,
			want:   fail(examplesName, firstExample+": example.com/v2, Kind=Thing is not a kind that the CSV owns; correct its apiVersion and kind"),
		},
		"a kind without an example": {
			edits:  []edit{{csvFile, "      - kind: Thing", "      - {kind: Other, name: others.example.com, version: v1}\n      - kind: Thing"}},
			answer: created,
			want:   fail(examplesName, csvFile+": metadata.annotations[alm-examples]: no example of the kind Other; add one to config/manifests"),
		},
		"an example without a name": {
			edits:  []edit{{csvFile, `{"name": "first"}`, `{}`}},
			answer: created,
			want:   fail(examplesName, firstExample+".metadata.name: it is missing"),
		},
	} {
		t.Run(scenario, func(t *testing.T) {
			connect, _ := apiServer(t, tc.answer, tc.warning)
			got := run(t, examplesName, &Environment{Bundle: load(t, bundleWith(t, tc.edits...)), Namespace: "tests", Connect: connect})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExamplesCannotTell(t *testing.T) {
	connect, _ := apiServer(t, created, "")
	for scenario, tc := range map[string]struct {
		edits   []edit
		connect func(rest.WarningHandler) (dynamic.Interface, error)
		want    string
	}{
		"no examples":               {[]edit{{csvFile, "alm-examples", "examples"}}, connect, "metadata.annotations[alm-examples]"},
		"examples that are no list": {[]edit{{csvFile, `"kind": "Thing", "metadata": {"name": "first"}`, ``}}, connect, "metadata.annotations[alm-examples]"},
		"an initial object that is none": {
			[]edit{{csvFile, `"metadata": {"name": "initial"}, "spec": {}}`, `]`}}, connect, "metadata.annotations[operatorframework.io/initialization-resource]",
		},
		"no cluster": {nil, func(rest.WarningHandler) (dynamic.Interface, error) { return nil, errors.New("nobody there") }, "nobody there"},
	} {
		t.Run(scenario, func(t *testing.T) {
			got := run(t, examplesName, &Environment{Bundle: load(t, bundleWith(t, tc.edits...)), Namespace: "tests", Connect: tc.connect})
			if got.State != v1alpha3.ErrorState || !strings.Contains(strings.Join(got.Errors, " "), tc.want) {
				t.Errorf("not an error that says %q: %v", tc.want, got)
			}
		})
	}
}
