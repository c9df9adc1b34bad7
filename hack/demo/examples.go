package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// examples has the objects that the demo applies: the published examples, with shorter sleeps.
type examples struct {
	flow   *v1alpha1.JobFlow
	daemon *v1alpha1.DaemonJob
}

// shorter maps the sleeps of the samples to those of the demo.
var shorter = strings.NewReplacer("sleep 100s", "sleep 4s", "sleep 10s", "sleep 2s")

// simulatedDuration tells a simulated node how long a pod runs.
const simulatedDuration = "simulated.jobflow/duration"

func load(dir, namespace string, simulated bool) (*examples, error) {
	e := &examples{flow: &v1alpha1.JobFlow{}, daemon: &v1alpha1.DaemonJob{}}
	if err := read(filepath.Join(dir, "jobflow.yaml"), e.flow); err != nil {
		return nil, err
	}
	if err := read(filepath.Join(dir, "daemonjob.yaml"), e.daemon); err != nil {
		return nil, err
	}
	e.flow.Namespace, e.daemon.Namespace = namespace, namespace
	for i := range e.flow.Spec.Flows {
		if template := e.flow.Spec.Flows[i].JobTemplate; template != nil {
			shorten(template, simulated)
		}
	}
	shorten(&e.daemon.Spec.JobSpec, simulated)
	return e, nil
}

func read(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func shorten(job *batchv1.JobSpec, simulated bool) {
	for _, container := range job.Template.Spec.Containers {
		for i, word := range container.Command {
			container.Command[i] = shorter.Replace(word)
			if duration, ok := strings.CutPrefix(container.Command[i], "sleep "); ok && simulated {
				metav1.SetMetaDataAnnotation(&job.Template.ObjectMeta, simulatedDuration, duration)
			}
		}
	}
}

// fitTo lets the flow run in a cluster without the node that the sample names.
func (e *examples) fitTo(ctx context.Context, c client.Client) error {
	var nodes corev1.NodeList
	if err := c.List(ctx, &nodes); err != nil {
		return fmt.Errorf("reaching the cluster: %w", err)
	}
	if e.flow.Spec.GlobalParams == nil {
		return nil
	}
	wanted := e.flow.Spec.GlobalParams.NodeName
	if slices.ContainsFunc(nodes.Items, func(n corev1.Node) bool { return n.Name == wanted }) {
		return nil
	}
	free := slices.IndexFunc(nodes.Items, func(n corev1.Node) bool { return len(n.Spec.Taints) == 0 })
	if free < 0 {
		return fmt.Errorf("the cluster has neither a node %s nor another without taints", wanted)
	}
	e.flow.Spec.GlobalParams.NodeName = nodes.Items[free].Name
	fmt.Printf("There is no node %s; the flow runs on %s.\n", wanted, nodes.Items[free].Name)
	return nil
}

func (e *examples) objects() []client.Object {
	return []client.Object{e.flow, e.daemon}
}

// create creates copies, because the API server fills in fields that a later creation must
// not have.
func (e *examples) create(ctx context.Context, c client.Client) error {
	for _, o := range e.objects() {
		if err := c.Create(ctx, o.DeepCopyObject().(client.Object)); err != nil {
			return fmt.Errorf("applying %s: %w", o.GetName(), err)
		}
	}
	return nil
}

// deleteOld removes what an earlier demo left behind, including its Jobs and pods.
func (e *examples) deleteOld(ctx context.Context, c client.Client) error {
	for _, o := range e.objects() {
		old := o.DeepCopyObject().(client.Object)
		err := c.Delete(ctx, old, client.PropagationPolicy(metav1.DeletePropagationForeground))
		switch {
		case apierrors.IsNotFound(err):
			continue
		case err != nil:
			return fmt.Errorf("deleting the old %s: %w", o.GetName(), err)
		}
		fmt.Printf("Deleting the %s of an earlier demo.\n", o.GetName())
		if err := waitUntilGone(ctx, c, old); err != nil {
			return err
		}
	}
	return nil
}
