package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func TestArchiveIsReproducible(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "prog")
	var archives [2][]byte
	for i := range archives {
		// A rebuilt file has another time and the same content.
		if err := os.WriteFile(source, []byte("content"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(source, time.Unix(int64(i)*1000, 0), time.Unix(int64(i)*1000, 0)); err != nil {
			t.Fatal(err)
		}
		img, err := Build(Spec{
			Layers: [][]Entry{{{Path: "/b/prog", Source: source, Mode: 0o755}, {Path: "/a", Link: "/b/prog"}}},
			Labels: map[string]string{"x": "1", "y": "2"},
		})
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(dir, "out.tar")
		if err := WriteArchive(out, img, "example.com/prog:v1", "prog:v1"); err != nil {
			t.Fatal(err)
		}
		if archives[i], err = os.ReadFile(out); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("two builds of the same input differ")
	}
}

func TestArchiveCarriesNameAndConfig(t *testing.T) {
	img, err := Build(Spec{
		Layers:       [][]Entry{{{Path: "/prog", Content: []byte("x"), Mode: 0o755}}},
		Entrypoint:   []string{"/prog"},
		User:         "65532:65532",
		Architecture: "arm64",
	})
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out.tar")
	if err := WriteArchive(out, img, "example.com/prog:v1"); err != nil {
		t.Fatal(err)
	}
	tag, _ := name.NewTag("example.com/prog:v1")
	read, err := tarball.ImageFromPath(out, &tag)
	if err != nil {
		t.Fatal(err)
	}
	config, err := read.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	got := []string{config.OS, config.Architecture, config.Config.User, strings.Join(config.Config.Entrypoint, " ")}
	if diff := cmp.Diff([]string{"linux", "arm64", "65532:65532", "/prog"}, got); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

// What containerd reads: the digest is the image's own, and a name by it is there.
func TestArchiveNamesTheImageByDigest(t *testing.T) {
	source := t.TempDir()
	if err := errors.Join(os.Chmod(source, 0o755), os.Mkdir(filepath.Join(source, "below"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(source, "below", "file"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	entries, err := FromMachine(source, "/files")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Entry{
		{Path: "/files", Dir: true, Mode: 0o755},
		{Path: "/files/below", Dir: true, Mode: 0o700},
		{Path: "/files/below/file", Source: filepath.Join(source, "below", "file"), Mode: 0o600},
	}, entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	spec := ForFiles("0:0")
	spec.Layers = [][]Entry{entries}
	img, err := Build(spec)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "out.tar")
	if err := WriteArchive(out, img, "example.com/files:v1"); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command("tar", "-C", dir, "-xf", out).Run(); err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range manifest.Manifests {
		names = append(names, m.Annotations["io.containerd.image.name"])
		read, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(read); err != nil || m.Digest != digest {
			t.Errorf("image %s, want %s: %v", m.Digest, digest, err)
		}
	}
	if diff := cmp.Diff([]string{"example.com/files:v1", "example.com/files@" + digest.String()}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestLayers(t *testing.T) {
	contents, err := layerTars([][]Entry{
		{
			{Path: "/usr/bin/prog", Content: []byte("x"), Mode: 0o755},
			{Path: "/bin/sh", Link: "/usr/bin/prog"},
			{Path: "/tmp", Dir: true, Mode: 0o1777},
		},
		{{Path: "/tmp/cache/file", Content: []byte("x")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for _, content := range contents {
		var names []string
		for r := tar.NewReader(bytes.NewReader(content)); ; {
			h, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if !h.ModTime.Equal(created) || h.Uid != 0 {
				t.Errorf("%s: time %s, uid %d", h.Name, h.ModTime, h.Uid)
			}
			names = append(names, fmt.Sprintf("%o %s", h.Mode, h.Name))
		}
		got = append(got, names)
	}
	want := [][]string{
		{"755 bin/", "777 bin/sh", "1777 tmp/", "755 usr/", "755 usr/bin/", "755 usr/bin/prog"},
		{"1777 tmp/", "755 tmp/cache/", "644 tmp/cache/file"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modes and names (-want +got):\n%s", diff)
	}
}

// Images that have the same lower layers share them, whatever is above.
func TestLayersAreShared(t *testing.T) {
	lowest := func(above string) v1.Hash {
		img, err := Build(Spec{Layers: [][]Entry{
			{{Path: "/bin/prog", Content: []byte("x"), Mode: 0o755}},
			{{Path: "/files", Content: []byte(above)}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		layers, err := img.Layers()
		if err != nil || len(layers) != 2 {
			t.Fatalf("%d layers: %v", len(layers), err)
		}
		digest, err := layers[0].Digest()
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
	if one, other := lowest("one"), lowest("other"); one != other {
		t.Errorf("the lowest layers differ: %s, %s", one, other)
	}
}

func TestLayersRefuse(t *testing.T) {
	for name, layers := range map[string][][]Entry{
		"the root itself":                      {{{Path: "/"}}},
		"the same path twice":                  {{{Path: "/a"}, {Path: "a"}}},
		"the same path in two layers":          {{{Path: "/a"}}, {{Path: "a"}}},
		"a file as directory":                  {{{Path: "/a"}, {Path: "/a/b"}}},
		"a file of another layer as directory": {{{Path: "/a/b"}}, {{Path: "/a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := layerTars(layers); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestNodesKnowImagesByTheNameOfTheirRegistry(t *testing.T) {
	for given, want := range map[string]string{
		"busybox:1.28":                   "docker.io/library/busybox:1.28",
		"docker.io/library/busybox:1.28": "docker.io/library/busybox:1.28",
		"someone/prog:v1":                "docker.io/someone/prog:v1",
		"example.com/prog:v1":            "example.com/prog:v1",
		"localhost:5000/prog:v1":         "localhost:5000/prog:v1",
	} {
		t.Run(given, func(t *testing.T) {
			tag, err := name.NewTag(given)
			if err != nil {
				t.Fatal(err)
			}
			if got := nodeName(tag); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}
