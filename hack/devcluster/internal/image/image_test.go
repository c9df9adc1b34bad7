package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
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
			Entries: []Entry{{Path: "/b/prog", Source: source, Mode: 0o755}, {Path: "/a", Link: "/b/prog"}},
			Labels:  map[string]string{"x": "1", "y": "2"},
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
		Entries:      []Entry{{Path: "/prog", Content: []byte("x"), Mode: 0o755}},
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
	spec.Entries = entries
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

func TestLayer(t *testing.T) {
	content, err := layerTar([]Entry{
		{Path: "/usr/bin/prog", Content: []byte("x"), Mode: 0o755},
		{Path: "/bin/sh", Link: "/usr/bin/prog"},
		{Path: "/tmp", Dir: true, Mode: 0o1777},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
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
		got = append(got, h.Name)
	}
	want := []string{"bin/", "bin/sh", "tmp/", "usr/", "usr/bin/", "usr/bin/prog"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestLayerRefuses(t *testing.T) {
	for name, entries := range map[string][]Entry{
		"the root itself":     {{Path: "/"}},
		"the same path twice": {{Path: "/a"}, {Path: "a"}},
		"a file as directory": {{Path: "/a"}, {Path: "/a/b"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := layerTar(entries); err == nil {
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
