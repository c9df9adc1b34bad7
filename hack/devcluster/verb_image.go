package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/image"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/progress"
)

func runImage(_ context.Context, args []string) error {
	fs := newFlags("image", "", `
Writes the image of one static Linux program as an archive for load-image, "docker
load" or "ctr images import". The same program gives the same bytes.

  devcluster image --binary bin/manager --name jobflow-operator:dev --out dist/image.tar
`)
	binary := fs.String("binary", "", "the static Linux `program`, placed at /NAME (required)")
	out := fs.String("out", "", "the archive to write, a `file` (required)")
	user := fs.String("user", "65532:65532", "`uid:gid` that the program runs as")
	entrypoint := fs.String("entrypoint", "", "`command`, words separated by spaces (default: the program)")
	var refs, extra, labels listFlag
	fs.Var(&refs, "name", "`reference` of the image, for example jobflow-operator:dev (required, may be repeated)")
	fs.Var(&extra, "extra-file", "another file, as `source:destination` (may be repeated)")
	fs.Var(&labels, "label", "a label, as `key=value` (may be repeated)")
	if err := noArgs(fs, args); err != nil {
		return err
	}
	for _, required := range []struct{ flag, value string }{
		{"binary", *binary}, {"name", refs.String()}, {"out", *out},
	} {
		if required.value == "" {
			return usagef("image needs --%s; see \"devcluster image --help\"", required.flag)
		}
	}
	for _, ref := range refs {
		if _, err := name.NewTag(ref); err != nil {
			return usagef("image: --name %s: %v", ref, err)
		}
	}
	spec, err := image.ForBinary(*binary, *user)
	if err != nil {
		return err
	}
	if *entrypoint != "" {
		spec.Entrypoint = strings.Fields(*entrypoint)
	}
	for _, e := range extra {
		source, destination, ok := strings.Cut(e, ":")
		if !ok || source == "" || !strings.HasPrefix(destination, "/") {
			return usagef("image: --extra-file %q: write source:/destination", e)
		}
		info, err := os.Stat(source)
		if err != nil {
			return fmt.Errorf("--extra-file: %w", err)
		}
		spec.Entries = append(spec.Entries, image.Entry{Path: destination, Source: source, Mode: int64(info.Mode().Perm())})
	}
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
