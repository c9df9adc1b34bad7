package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/image"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/progress"
)

func runImage(_ context.Context, args []string) error {
	fs := newFlags("image", "", `
Writes an image of one static Linux program, of files, or of both, as an archive for
load-image, "docker load" or "ctr images import". The same input gives the same
bytes. The program and each --extra-file have a layer of their own. Prints the
image's names by digest; nodes know it by these too.

  devcluster image --binary bin/manager --name jobflow-operator:dev --out bin/image.tar
  devcluster image --extra-file bundle/manifests:/manifests --name bundle:v1 --out bundle.tar
`)
	binary := fs.String("binary", "", "the static Linux `program`, placed at /NAME and started (without it, the image starts nothing)")
	out := fs.String("out", "", "the archive to write, a `file` (required)")
	user := fs.String("user", "65532:65532", "`uid:gid` that the program runs as")
	entrypoint := fs.String("entrypoint", "", "`command`, words separated by spaces (default: the program)")
	var refs, extra, labels listFlag
	fs.Var(&refs, "name", "`reference` of the image, for example jobflow-operator:dev (required, may be repeated)")
	fs.Var(&extra, "extra-file", "another file or directory, as `source:destination` (may be repeated)")
	fs.Var(&labels, "label", "a label, as `key=value` (may be repeated)")
	if err := noArgs(fs, args); err != nil {
		return err
	}
	for _, required := range []struct{ flag, value string }{
		{"name", refs.String()}, {"out", *out},
	} {
		if required.value == "" {
			return usagef("image needs --%s; see \"devcluster image --help\"", required.flag)
		}
	}
	if *binary == "" && len(extra) == 0 {
		return usagef("image needs --binary or --extra-file; see \"devcluster image --help\"")
	}
	tags := make([]name.Tag, 0, len(refs))
	for _, ref := range refs {
		tag, err := name.NewTag(ref)
		if err != nil {
			return usagef("image: --name %s: %v", ref, err)
		}
		tags = append(tags, tag)
	}
	spec := image.ForFiles(*user)
	if *binary != "" {
		var err error
		if spec, err = image.ForBinary(*binary, *user); err != nil {
			return err
		}
	}
	if *entrypoint != "" {
		spec.Entrypoint = strings.Fields(*entrypoint)
	}
	for _, e := range extra {
		source, destination, ok := strings.Cut(e, ":")
		if !ok || source == "" || !strings.HasPrefix(destination, "/") {
			return usagef("image: --extra-file %q: write source:/destination", e)
		}
		entries, err := image.FromMachine(source, destination)
		if err != nil {
			return fmt.Errorf("--extra-file: %w", err)
		}
		spec.Layers = append(spec.Layers, entries)
	}
	var err error
	if spec.Labels, err = parseLabels(labels); err != nil {
		return err
	}
	img, err := image.Build(spec)
	if err != nil {
		return err
	}
	if err := image.WriteArchive(*out, img, refs...); err != nil {
		return err
	}
	digest, err := img.Digest()
	if err != nil {
		return err
	}
	for _, tag := range tags {
		fmt.Println(tag.Context().Digest(digest.String()).Name())
	}
	progress.New().Say("wrote %s: %s (linux/%s, user %s, %s)", *out, strings.Join(refs, ", "), spec.Architecture, spec.User, digest)
	return nil
}

func parseLabels(list []string) (map[string]string, error) {
	labels := map[string]string{}
	for _, l := range list {
		key, value, ok := strings.Cut(l, "=")
		if !ok || key == "" {
			return nil, usagef("image: --label %q: write key=value", l)
		}
		labels[key] = value
	}
	return labels, nil
}

// listFlag is a flag that may be repeated.
type listFlag []string

func (l *listFlag) String() string     { return strings.Join(*l, ",") }
func (l *listFlag) Set(v string) error { *l = append(*l, v); return nil }
