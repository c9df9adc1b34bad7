package checks

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// managerContainer is the one that runs the operator.
const managerContainer = "manager"

// imagesListed compares the images that the CSV runs with those that it declares:
// what mirrors an operator into a cluster without a way out goes by relatedImages,
// and catalogs show containerImage.
func imagesListed(_ context.Context, env *Environment, r *report) error {
	csv, file := env.Bundle.CSV, env.Bundle.CSVFile
	listed := map[string]bool{}
	for i, related := range csv.Spec.RelatedImages {
		if listed[related.Image] {
			r.errorf("%s: spec.relatedImages[%d].image: %s stands there twice; remove one", file, i, related.Image)
		}
		listed[related.Image] = true
	}
	used := map[string]bool{}
	manager := ""
	use := func(path *field.Path, image string) {
		used[image] = true
		if !listed[image] {
			r.errorf("%s: %s: %q is not in spec.relatedImages; add it there (make bundle does)", file, path, image)
		}
	}
	deployments := field.NewPath("spec", "install", "spec", "deployments")
	for i, deployment := range csv.Spec.InstallStrategy.StrategySpec.DeploymentSpecs {
		pod := deployment.Spec.Template.Spec
		path := deployments.Index(i).Child("spec", "template", "spec")
		for j, container := range pod.InitContainers {
			useImages(path.Child("initContainers").Index(j), container, use)
		}
		for j, container := range pod.Containers {
			useImages(path.Child("containers").Index(j), container, use)
			if container.Name == managerContainer {
				manager = container.Image
			}
		}
	}
	if len(used) == 0 {
		return errors.New(file + ": spec.install.spec.deployments run no image; run make bundle")
	}
	for i, related := range csv.Spec.RelatedImages {
		if !used[related.Image] {
			r.errorf("%s: spec.relatedImages[%d].image: nothing runs %s; remove it", file, i, related.Image)
		}
	}
	switch declared := csv.Annotations["containerImage"]; {
	case manager == "":
		r.errorf("%s: %s: no container is named %s; name the operator's so", file, deployments, managerContainer)
	case declared != manager:
		r.errorf("%s: metadata.annotations[containerImage]: %q is not the image of the container %s; set it to %q", file, declared, managerContainer, manager)
	}
	r.logf("%s", strings.Join(slices.Sorted(maps.Keys(used)), "\n"))
	return nil
}

// useImages has the image that a container runs and those that it is told of.
func useImages(path *field.Path, container corev1.Container, use func(*field.Path, string)) {
	use(path.Child("image"), container.Image)
	for i, env := range container.Env {
		if strings.HasPrefix(env.Name, "RELATED_IMAGE_") {
			use(path.Child("env").Index(i).Child("value"), env.Value)
		}
	}
}
