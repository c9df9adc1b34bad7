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
	"github.com/google/go-containerregistry/pkg/v1/types"
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
	// Layers are the files, from the lowest layer up. A node keeps one copy of a layer
	// for all images that have it above the same layers.
	Layers     [][]Entry
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

// Build makes the image.
func Build(spec Spec) (v1.Image, error) {
	contents, err := layerTars(spec.Layers)
	if err != nil {
		return nil, err
	}
	img := empty.Image
	for _, content := range contents {
		// The content is compressed once for the digest, and the archive takes what that made.
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(content)), nil
		}, tarball.WithCompressedCaching)
		if err != nil {
			return nil, err
		}
		img, err = mutate.Append(img, mutate.Addendum{
			Layer:   layer,
			History: v1.History{Created: v1.Time{Time: created}, CreatedBy: "devcluster image"},
		})
		if err != nil {
			return nil, err
		}
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
	tags := make([]name.Tag, 0, len(refs))
	for _, ref := range refs {
		tag, err := name.NewTag(ref)
		if err != nil {
			return fmt.Errorf("image name %q: %w", ref, err)
		}
		tags = append(tags, tag)
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".image-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := errors.Join(writeArchive(tmp, img, tags), tmp.Chmod(0o644), tmp.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return os.Rename(tmp.Name(), file)
}

// writeArchive writes an OCI layout, from which containerd takes the image with its digest
// unchanged, and in it the manifest.json by which docker finds the same files. Every repository among the names gets a name by digest too: by such a
// name a kubelet looks for the image on its node before it asks a registry.
func writeArchive(out io.Writer, img v1.Image, tags []name.Tag) error {
	digest, err := img.Digest()
	if err != nil {
		return err
	}
	manifest, err := img.RawManifest()
	if err != nil {
		return err
	}
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
	mediaType, err := img.MediaType()
	if err != nil {
		return err
	}

	var names []string // of docker
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	enter := func(ref string) {
		descriptor := v1.Descriptor{MediaType: mediaType, Size: int64(len(manifest)), Digest: digest,
			Annotations: map[string]string{"io.containerd.image.name": ref}}
		index.Manifests = append(index.Manifests, descriptor)
	}
	for _, tag := range tags {
		names = append(names, tag.String())
		enter(nodeName(tag))
		enter(nodeName(tag.Context().Digest(digest.String())))
	}
	indexJSON, err := json.Marshal(index)
	if err != nil {
		return err
	}

	entries := []Entry{
		{Path: "oci-layout", Content: []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{Path: "index.json", Content: indexJSON},
		{Path: blob(digest), Content: manifest},
		{Path: blob(configName), Content: config},
	}
	var layerPaths []string
	for _, layer := range layers {
		layerDigest, err := layer.Digest()
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
		layerPaths = append(layerPaths, blob(layerDigest))
		entries = append(entries, Entry{Path: blob(layerDigest), Content: content})
	}
	dockerJSON, err := json.Marshal(tarball.Manifest{{Config: blob(configName), RepoTags: names, Layers: layerPaths}})
	if err != nil {
		return err
	}
	entries = append(entries, Entry{Path: "manifest.json", Content: dockerJSON})

	w := tar.NewWriter(out)
	for _, entry := range entries {
		if err := writeEntry(w, entry.Path, entry); err != nil {
			return err
		}
	}
	return w.Close()
}

// nodeName is the name by which a kubelet looks for an image. The library calls Docker
// Hub by the name of its server.
func nodeName(ref name.Reference) string {
	full := ref.Name()
	if rest, ok := strings.CutPrefix(full, name.DefaultRegistry+"/"); ok {
		return "docker.io/" + rest
	}
	return full
}

func blob(digest v1.Hash) string {
	return "blobs/" + digest.Algorithm + "/" + digest.Hex
}

// layerTars writes each layer as a tar stream, with the directories above its entries.
func layerTars(layers [][]Entry) ([][]byte, error) {
	all, err := tree(slices.Concat(layers...))
	if err != nil {
		return nil, err
	}
	var tars [][]byte
	for _, layer := range layers {
		// A directory has the same mode in every layer, also where only one of them gives it.
		part := map[string]Entry{}
		for _, e := range layer {
			for p := clean(e.Path); p != "/"; p = path.Dir(p) {
				part[p] = all[p]
			}
		}
		var buf bytes.Buffer
		w := tar.NewWriter(&buf)
		for _, p := range keys(part) {
			if err := writeEntry(w, strings.TrimPrefix(p, "/"), part[p]); err != nil {
				return nil, err
			}
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		tars = append(tars, buf.Bytes())
	}
	return tars, nil
}

// tree returns the entries and the directories above them, by path.
func tree(entries []Entry) (map[string]Entry, error) {
	all := map[string]Entry{}
	for _, e := range entries {
		p := clean(e.Path)
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
	return all, nil
}

func clean(p string) string { return path.Clean("/" + filepath.ToSlash(p)) }

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
