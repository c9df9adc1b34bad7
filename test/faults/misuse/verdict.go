package misuse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// outcome is what became of a value.
type outcome string

const (
	// untried: the object has the value anyway.
	untried outcome = "untried"
	// refused: the API server, or our webhook, did not take it.
	refused outcome = "refused"
	// stored: it was taken, and nothing is known of it yet.
	stored outcome = "stored"
	// reported: it was taken, and status says what is wrong with it.
	reported outcome = "reported"
	// effective: it was taken, and shows in the Jobs or in what status says.
	effective outcome = "effective"
	// same: it means the same as what the object had.
	same outcome = "same"
	// later: it was taken, and shows later.
	later outcome = "later"
)

// isRefusal says whether an error is an answer about what was asked for, and not that
// there is none.
func isRefusal(err error) bool {
	return apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsForbidden(err) || apierrors.IsRequestEntityTooLargeError(err)
}

// judgeRefusal checks a refusal: it has to be right, to name the property, and where it
// is that this may not change, to say what to do instead.
func (c *cluster) judgeRefusal(ctx context.Context, t *trial, wrong *unstructured.Unstructured, refusal error) error {
	text := refusal.Error()
	if !isRefusal(refusal) {
		return fmt.Errorf("neither taken nor refused: %s", clippedText(text))
	}
	if strings.Contains(text, "immutable") {
		if !named(text, t.property.path...) {
			return fmt.Errorf("refused as immutable without naming it: %s", clippedText(text))
		}
		if !strings.Contains(text, "another name") {
			return fmt.Errorf("refused as immutable without saying what to do: %s", clippedText(text))
		}
		return nil
	}
	if !namesIt(t, text) && !named(text, "nosuchfield") && !c.namelessToo(ctx, t, wrong) {
		return fmt.Errorf("refused without naming it: %s", clippedText(text))
	}
	// A schema cannot be as lenient as the code that decodes Jobs: that takes null where
	// there is nothing, and drops what a feature gate is off for.
	bySchema := !strings.Contains(text, "admission webhook")
	if t.change || bySchema || t.row.native == "" || t.listed(t.row.stricter) {
		return nil
	}
	_, refused, err := c.native(ctx, wrong, t.row.native)
	if err != nil {
		return err
	}
	if refused == nil {
		return fmt.Errorf("refused, though the API server takes a native Job of it: %s", clippedText(text))
	}
	return nil
}

// listed says whether a list of the row's has the trial: its property, its value, or
// that only where it is changed to.
func (t *trial) listed(list map[string]string) bool {
	value := t.property.String() + "=" + t.value.name
	return list[t.property.String()] != "" || list[value] != "" || t.change && list[value+", changed"] != ""
}

// names are what a message has to name one of: the property, or what it is in. What
// Kubernetes says of its own properties is its own affair, as long as it is about them.
func (t *trial) names() []string {
	if !t.property.below(t.row.kubernetes...) {
		return t.property.names()
	}
	// Shared volumes are volumes in the Job that Kubernetes speaks of.
	return append(slices.Clone(t.property.path), "volumes")
}

// namesIt says whether a message names the property, or is about something that it is
// in as a whole.
func namesIt(t *trial, text string) bool {
	if named(text, t.names()...) {
		return true
	}
	for n := range t.property.path {
		if in := (&property{path: t.property.path[:n]}).String(); len(in) > len(t.row.walk) {
			inJob := "spec" + strings.TrimPrefix(in, t.row.native)
			if strings.Contains(text, in+":") || t.row.native != "" && strings.Contains(text, inJob+":") {
				return true
			}
		}
	}
	return false
}

// namelessToo says whether the API server refuses a native Job of the same spec without
// naming the property either: it is at odds with another one, and that one is named.
func (c *cluster) namelessToo(ctx context.Context, t *trial, object *unstructured.Unstructured) bool {
	if t.row.native == "" {
		return false
	}
	_, refusal, err := c.native(ctx, object, t.row.native)
	return err == nil && refusal != nil && !namesIt(t, refusal.Error())
}

func named(text string, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return name != "spec" && strings.Contains(text, name) }) ||
		len(names) > 0 && names[0] == "spec" && strings.Contains(text, "spec")
}

// judge says what became of a value that is stored; the error is a complaint about it,
// which may be early.
func (c *cluster) judge(ctx context.Context, t *trial, tried, subject *unstructured.Unstructured, base *view) (outcome, error) {
	current := tried.DeepCopy()
	if err := c.client.Get(ctx, client.ObjectKeyFromObject(tried), current); err != nil {
		return stored, err
	}
	seen, err := c.see(ctx, subject)
	if err != nil {
		return stored, err
	}
	if !seen.Observed {
		return stored, errors.New("the operator has not looked at it")
	}
	if wrong := complains(seen); wrong {
		if !namesIt(t, seen.text()) && !c.namelessToo(ctx, t, current) {
			return stored, fmt.Errorf("status complains without naming it: %s", clippedText(seen.text()))
		}
		return reported, nil
	}
	if t.row.native != "" {
		return c.judgeNative(ctx, t, current, seen, base)
	}
	switch {
	case seen.String() != base.String():
		return effective, nil
	case sameSpec(base.Object, current):
		return same, nil
	case t.listed(t.row.later):
		return later, nil
	}
	return stored, errors.New("it is silently ignored: Jobs and status are those of the right object")
}

// judgeNative compares with a Job of the same spec that the operator has nothing to do
// with.
func (c *cluster) judgeNative(ctx context.Context, t *trial, current *unstructured.Unstructured, seen, base *view) (outcome, error) {
	native, refusal, err := c.native(ctx, current, t.row.native)
	if err != nil {
		return stored, err
	}
	if refusal != nil {
		return stored, fmt.Errorf("status does not complain, though the API server refuses a native Job: %s", clippedText(refusal.Error()))
	}
	if len(seen.Jobs) == 0 {
		if seen.State == v1alpha1.StateSuspended || seen.Reason == v1alpha1.ReasonNoEligibleNode {
			return effective, nil
		}
		return stored, fmt.Errorf("there is no Job, and status says only: %s", clippedText(seen.text()))
	}
	if len(seen.Jobs) < len(base.Jobs) {
		return stored, fmt.Errorf("there are %d Jobs of %d", len(seen.Jobs), len(base.Jobs))
	}
	for name, made := range seen.Jobs {
		if seen.State == v1alpha1.StateSuspended {
			made.Spec.Suspend = native.Suspend
		}
		if diff := difference(native, &made, t.row.resource == "daemonjobs"); diff != "" {
			return stored, fmt.Errorf("the Job %s is not what a native Job would be (-native +ours):\n%s", name, diff)
		}
	}
	return effective, nil
}

// complains says whether status has something against the spec.
func complains(v *view) bool {
	if v.Reason == v1alpha1.ReasonInvalidSpec {
		return true
	}
	for _, said := range v.Runs {
		for _, reason := range []string{
			v1alpha1.ReasonJobRejected, v1alpha1.ReasonInvalidJobTemplate, v1alpha1.ReasonJobTemplateMissing, v1alpha1.ReasonCreateFailed,
		} {
			if strings.Contains(said, " "+reason+" ") {
				return true
			}
		}
	}
	return false
}

// sameSpec says whether two objects of ours say the same: nothing and an empty list do.
func sameSpec(a, b *unstructured.Unstructured) bool {
	decode := func(u *unstructured.Unstructured) any {
		var typed runtime.Object = &v1alpha1.JobFlow{}
		if u.GetKind() == "DaemonJob" {
			typed = &v1alpha1.DaemonJob{}
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{"spec": u.Object["spec"]}, typed); err != nil {
			return err
		}
		return typed
	}
	return equality.Semantic.DeepEqual(decode(a), decode(b))
}

func clippedText(text string) string {
	const most = 600
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
