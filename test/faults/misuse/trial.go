package misuse

import (
	"context"
	"errors"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/limit"
)

// trial is one value, which an object has from the start, or is changed to.
type trial struct {
	row      *row
	property *property
	value    value
	// admission says whether our webhooks see to the namespace.
	admission bool
	// change says that the object is right at first.
	change bool
}

func (t *trial) String() string {
	how, webhooks := "created", "off"
	if t.change {
		how = "changed"
	}
	if t.admission {
		webhooks = "on"
	}
	return fmt.Sprintf("%s: %s = %s, %s, webhooks %s", t.row.name, t.property, t.value.name, how, webhooks)
}

const (
	// longestReaction is the longest time that the operator may take to react to a change.
	longestReaction = limit.Hang
	// mostRequests is how many the operator may send for one trial, in which it sees two
	// or three objects with up to three Jobs each come, change and go.
	mostRequests = 60
)

// try makes the trial. base is what people see of the object that is right.
func (c *cluster) try(ctx context.Context, t *trial, base *view) (outcome, error) {
	right := object(t.row.base)
	wrong := with(right, t.property, t.value)
	if equality.Semantic.DeepEqual(right.Object, wrong.Object) {
		return untried, nil
	}
	namespace, err := c.namespace(ctx, t.admission)
	if err != nil {
		return untried, err
	}
	right.SetNamespace(namespace)
	wrong.SetNamespace(namespace)
	if err := c.createBeside(ctx, t.row, namespace); err != nil {
		return untried, err
	}
	result, err := c.tryIn(ctx, t, right, wrong, base)
	if err == nil {
		if sent := c.requests.of(namespace); sent > mostRequests {
			err = fmt.Errorf("the operator sent %d requests", sent)
		}
	}
	return result, errors.Join(err, c.clear(ctx, namespace))
}

func (c *cluster) tryIn(ctx context.Context, t *trial, right, wrong *unstructured.Unstructured, base *view) (outcome, error) {
	if t.change {
		if err := c.client.Create(ctx, right.DeepCopy()); err != nil {
			return untried, fmt.Errorf("creating what is right: %w", err)
		}
		if t.row.user == "" {
			if err := c.awaitView(ctx, right, base); err != nil {
				return untried, fmt.Errorf("before the change: %w", err)
			}
		}
	}
	var err error
	if t.change {
		err = c.replaceSpec(ctx, wrong)
	} else {
		err = c.client.Create(ctx, wrong.DeepCopy())
	}
	if err != nil {
		return refused, c.judgeRefusal(ctx, t, wrong, err)
	}
	subject, err := c.use(ctx, t.row, right)
	if err != nil {
		return stored, err
	}
	var result outcome
	if err := eventually(longestReaction, func() error {
		var complaint error
		result, complaint = c.judge(ctx, t, right, subject, base)
		return complaint
	}); err != nil {
		return stored, errors.Join(err, c.undo(ctx, t, right, subject, base))
	}
	return result, c.undo(ctx, t, right, subject, base)
}

// use is the object whose Jobs are looked at: the one that is tried, or one that uses it.
func (c *cluster) use(ctx context.Context, r *row, tried *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if r.user == "" {
		return tried, nil
	}
	// A JobFlow that comes at the same moment may get the JobTemplate as it was.
	if err := c.awaitObserved(ctx, tried); err != nil {
		return nil, err
	}
	user := object(r.user)
	user.SetNamespace(tried.GetNamespace())
	return user, c.client.Create(ctx, user.DeepCopy())
}

// undo makes the object right again, as far as that is possible by a change, and waits
// until everything is as if it had always been.
func (c *cluster) undo(ctx context.Context, t *trial, right, subject *unstructured.Unstructured, base *view) error {
	before, err := c.see(ctx, subject)
	if err != nil {
		return err
	}
	err = c.replaceSpec(ctx, right)
	immutable := err != nil
	if immutable {
		if err := c.judgeRefusal(ctx, t, right, err); err != nil {
			return fmt.Errorf("when it is undone: %w", err)
		}
	}
	// What cannot be changed is deleted and made again; so is a JobFlow whose Job is made
	// of the wrong JobTemplate, or whose Jobs may have been ended meanwhile.
	if subject != right {
		if err := c.awaitObserved(ctx, right); err != nil {
			return err
		}
	}
	again := immutable || subject != right && len(before.Jobs) > 0 || t.property.String() == t.row.deadline
	if again {
		if err := c.deleteWithJobs(ctx, subject); err != nil {
			return err
		}
		if immutable && subject != right {
			return fmt.Errorf("a JobTemplate cannot be undone: %w", err)
		}
		if err := c.client.Create(ctx, subject.DeepCopy()); err != nil {
			return fmt.Errorf("creating what is right afterwards: %w", err)
		}
	}
	if err := c.awaitView(ctx, subject, base); err != nil {
		return fmt.Errorf("once it is undone: %w", err)
	}
	return nil
}

// awaitObserved waits until the operator has seen the object as it is now.
func (c *cluster) awaitObserved(ctx context.Context, object *unstructured.Unstructured) error {
	return eventually(longestReaction, func() error {
		current := object.DeepCopy()
		if err := c.client.Get(ctx, client.ObjectKeyFromObject(object), current); err != nil {
			return err
		}
		if seen, _, _ := unstructured.NestedInt64(current.Object, "status", "observedGeneration"); seen != current.GetGeneration() {
			return errors.New("the operator has not looked at it")
		}
		return nil
	})
}

// awaitView waits until people see the same of an object as of the one that was right
// from the start.
func (c *cluster) awaitView(ctx context.Context, object *unstructured.Unstructured, want *view) error {
	return eventually(longestReaction, func() error {
		got, err := c.see(ctx, object)
		if err != nil {
			return err
		}
		if got.String() != want.String() || !got.Observed {
			return fmt.Errorf("wanted what a right object shows, got:\n%s", got)
		}
		return nil
	})
}

// replaceSpec gives the object in the API server the spec of this one.
func (c *cluster) replaceSpec(ctx context.Context, to *unstructured.Unstructured) error {
	for {
		current := to.DeepCopy()
		if err := c.client.Get(ctx, client.ObjectKeyFromObject(to), current); err != nil {
			return err
		}
		if spec, there := to.Object["spec"]; there {
			current.Object["spec"] = runtime.DeepCopyJSONValue(spec)
		} else {
			delete(current.Object, "spec")
		}
		if err := c.client.Update(ctx, current); !apierrors.IsConflict(err) {
			return err
		}
	}
}

func (c *cluster) createBeside(ctx context.Context, r *row, namespace string) error {
	for _, text := range r.beside {
		o := object(text)
		o.SetNamespace(namespace)
		if err := c.client.Create(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// deleteWithJobs deletes an object and its Jobs, as the garbage collector would, which
// is not there.
func (c *cluster) deleteWithJobs(ctx context.Context, o *unstructured.Unstructured) error {
	if err := c.client.Delete(ctx, o.DeepCopy()); err != nil {
		return err
	}
	if err := eventually(longestReaction, func() error {
		err := c.client.Get(ctx, client.ObjectKeyFromObject(o), o.DeepCopy())
		if err == nil {
			return fmt.Errorf("%s is still there", o.GetName())
		}
		return client.IgnoreNotFound(err)
	}); err != nil {
		return err
	}
	return c.deleteJobs(ctx, o.GetNamespace())
}

func (c *cluster) deleteJobs(ctx context.Context, namespace string) error {
	return c.client.DeleteAllOf(ctx, &batchv1.Job{}, client.InNamespace(namespace),
		client.PropagationPolicy(metav1.DeletePropagationBackground))
}

// clear leaves nothing behind that the operator would come back to.
func (c *cluster) clear(ctx context.Context, namespace string) error {
	for _, all := range []client.Object{&v1alpha1.JobFlow{}, &v1alpha1.DaemonJob{}, &v1alpha1.JobTemplate{}} {
		if err := c.client.DeleteAllOf(ctx, all, client.InNamespace(namespace)); err != nil {
			return err
		}
	}
	return c.deleteJobs(ctx, namespace)
}
