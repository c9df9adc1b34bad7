package checks

import "testing"

func TestImagesListed(t *testing.T) {
	const (
		name  = "jobflow-images-listed"
		spec  = csvFile + ": spec.install.spec.deployments[0].spec.template.spec."
		first = "{name: first, image: example.com/first:v1}"
	)
	expectFindings(t, name, map[string]finding{
		"what runs is what is listed": {want: pass(name)},
		"an init container's image is not listed": {
			edits: []edit{{csvFile, "- " + first, ""}},
			want:  fail(name, spec+`initContainers[0].image: "example.com/first:v1" is not in spec.relatedImages; add it there (make bundle does)`),
		},
		"an image that the operator is told of is not listed": {
			edits: []edit{{csvFile, "value: example.com/helper:v1", "value: example.com/helper:v2"}},
			want: fail(name,
				spec+`containers[0].env[0].value: "example.com/helper:v2" is not in spec.relatedImages; add it there (make bundle does)`,
				csvFile+": spec.relatedImages[2].image: nothing runs example.com/helper:v1; remove it"),
		},
		"containerImage is another": {
			edits: []edit{{csvFile, "containerImage: example.com/manager:v1", "containerImage: example.com/manager:v0"}},
			want: fail(name, csvFile+`: metadata.annotations[containerImage]: "example.com/manager:v0" is not the image of the container manager; `+
				`set it to "example.com/manager:v1"`),
		},
		"one image is listed twice": {
			edits: []edit{{csvFile, first, first + "\n    - " + first}},
			want:  fail(name, csvFile+": spec.relatedImages[1].image: example.com/first:v1 stands there twice; remove one"),
		},
		"no container is the operator's": {
			edits: []edit{{csvFile, "- name: manager\n                    image", "- name: main\n                    image"}},
			want:  fail(name, csvFile+": spec.install.spec.deployments: no container is named manager; name the operator's so"),
		},
		"nothing is deployed": {
			edits: []edit{{csvFile, "deployments:", "others:"}},
			want:  cannotTell(name, csvFile+": spec.install.spec.deployments run no image; run make bundle"),
		},
	})
}
