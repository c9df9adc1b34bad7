// Package image makes container images from files, without a container engine.
// The same input gives the same image, byte for byte: times are fixed, and files
// are written in order of their names.
package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Entry is a file, a link or a directory in the image.
type Entry struct {
	// Path in the image, absolute.
	Path string
	// Source is a file on this machine; Content is used when it is empty.
	Source  string
	Content []byte
	// Link makes the entry a symbolic link to this path.
	Link string
	// Dir makes the entry a directory.
	Dir bool
	// Mode is the file's permissions; files default to 0644, directories to 0755.
	Mode int64
}

// Spec is what an image is made of.
type Spec struct {
	Entries    []Entry
	Entrypoint []string
	Cmd        []string
	Env        []string
	// User is "uid:gid" or a name.
	User         string
	WorkingDir   string
	Labels       map[string]string
	Architecture string
}

// created is the time of every image and file: a real one would make each build
// differ.
var created = time.Unix(0, 0).UTC()

// Build makes the image: one layer.
func Build(spec Spec) (v1.Image, error) {
	content, err := layerTar(spec.Entries)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	})
	if err != nil {
		return nil, err
	}
	img, err := mutate.Append(empty.Image, mutate.Addendum{
		Layer:   layer,
		History: v1.History{Created: v1.Time{Time: created}, CreatedBy: "devcluster image"},
	})
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS = "linux"
	config.Architecture = spec.Architecture
	config.Created = v1.Time{Time: created}
	config.Config = v1.Config{
		User:       spec.User,
		Entrypoint: spec.Entrypoint,
		Cmd:        spec.Cmd,
		Env:        append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, spec.Env...),
		WorkingDir: spec.WorkingDir,
		Labels:     spec.Labels,
	}
	return mutate.ConfigFile(img, config)
}

// WriteArchive writes the image under the given names as an archive that
// "docker load", "ctr images import" and "podman load" read. The file appears
// whole or not at all.
func WriteArchive(file string, img v1.Image, refs ...string) error {
	tags := make([]string, 0, len(refs))
	for _, ref := range refs {
		tag, err := name.NewTag(ref)
		if err != nil {
			return fmt.Errorf("image name %q: %w", ref, err)
		}
		tags = append(tags, tag.String())
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".image-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := errors.Join(writeDockerArchive(tmp, img, tags), tmp.Chmod(0o644), tmp.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return os.Rename(tmp.Name(), file)
}

// writeDockerArchive is go-containerregistry's tarball.MultiWrite, but for the
// order of the names, which there is a map's and differs from run to run.
func writeDockerArchive(out io.Writer, img v1.Image, tags []string) error {
	config, err := img.RawConfigFile()
	if err != nil {
		return err
	}
	configName, err := img.ConfigName()
	if err != nil {
		return err
	}
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	w := tar.NewWriter(out)
	if err := writeEntry(w, configName.Hex+".json", Entry{Content: config}); err != nil {
		return err
	}
	var layerNames []string
	for _, layer := range layers {
		digest, err := layer.Digest()
		if err != nil {
			return err
		}
		compressed, err := layer.Compressed()
		if err != nil {
			return err
		}
		content, err := io.ReadAll(compressed)
		if err := errors.Join(err, compressed.Close()); err != nil {
			return err
		}
		layerNames = append(layerNames, digest.Hex+".tar.gz")
		if err := writeEntry(w, digest.Hex+".tar.gz", Entry{Content: content}); err != nil {
			return err
		}
	}
	manifest, err := json.Marshal(tarball.Manifest{{Config: configName.Hex + ".json", RepoTags: tags, Layers: layerNames}})
	if err != nil {
		return err
	}
	if err := writeEntry(w, "manifest.json", Entry{Content: manifest}); err != nil {
		return err
	}
	return w.Close()
}

// layerTar writes the entries as a tar stream, with the directories above them.
func layerTar(entries []Entry) ([]byte, error) {
	all := map[string]Entry{}
	for _, e := range entries {
		p := path.Clean("/" + filepath.ToSlash(e.Path))
		if p == "/" {
			return nil, fmt.Errorf("entry %q: a path below / is needed", e.Path)
		}
		if _, twice := all[p]; twice {
			return nil, fmt.Errorf("entry %q is given twice", p)
		}
		all[p] = e
	}
	for _, p := range keys(all) {
		for dir := path.Dir(p); dir != "/"; dir = path.Dir(dir) {
			if above, ok := all[dir]; !ok {
				all[dir] = Entry{Dir: true}
			} else if !above.Dir {
				return nil, fmt.Errorf("entry %q lies below %q, which is not a directory", p, dir)
			}
		}
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, p := range keys(all) {
		if err := writeEntry(w, strings.TrimPrefix(p, "/"), all[p]); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func writeEntry(w *tar.Writer, name string, e Entry) error {
	header := &tar.Header{Name: name, Mode: e.Mode, ModTime: created, Format: tar.FormatPAX}
	content := e.Content
	switch {
	case e.Dir:
		header.Typeflag = tar.TypeDir
		header.Name += "/"
		if header.Mode == 0 {
			header.Mode = 0o755
		}
	case e.Link != "":
		header.Typeflag = tar.TypeSymlink
		header.Linkname = e.Link
		header.Mode = 0o777
	default:
		if e.Source != "" {
			var err error
			if content, err = os.ReadFile(e.Source); err != nil {
				return err
			}
		}
		header.Typeflag = tar.TypeReg
		header.Size = int64(len(content))
		if header.Mode == 0 {
			header.Mode = 0o644
		}
	}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	if header.Typeflag != tar.TypeReg {
		return nil
	}
	_, err := w.Write(content)
	return err
}

func keys(m map[string]Entry) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
