package addons

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/image"
)

// Busybox is the image that the examples use.
const Busybox = "docker.io/library/busybox:1.28"

// Archive is an image archive and the name of the image in it.
type Archive struct {
	Image string
	File  string
}

// PauseImage is the archive of the image that holds a pod's namespaces.
func PauseImage(cache, binary, version string) (Archive, error) {
	return programImage(cache, binary, "devcluster.local/pause:"+version)
}

// CoreDNSImage is the archive of cluster DNS.
func CoreDNSImage(cache, binary, version string) (Archive, error) {
	return programImage(cache, binary, "devcluster.local/coredns:"+version)
}

func programImage(cache, binary, name string) (Archive, error) {
	spec, err := image.ForBinary(binary, "65532:65532")
	if err != nil {
		return Archive{}, err
	}
	return write(cache, binary, name, spec)
}

// BusyboxImage is the archive of an image made of the machine's static busybox,
// with a link for each of its programs: a shell and the usual tools.
func BusyboxImage(cache, binary string) (Archive, error) {
	arch, err := image.StaticArchitecture(binary)
	if err != nil {
		return Archive{}, err
	}
	list, err := exec.Command(binary, "--list-full").Output()
	if err != nil {
		return Archive{}, fmt.Errorf("asking %s for its programs: %w", binary, err)
	}
	entries := []image.Entry{
		{Path: "/bin/busybox", Source: binary, Mode: 0o755},
		{Path: "/etc/passwd", Content: []byte("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n")},
		{Path: "/etc/group", Content: []byte("root:x:0:\nnogroup:x:65534:\n")},
		{Path: "/etc/nsswitch.conf", Content: []byte("hosts: files dns\n")},
		{Path: "/home", Dir: true},
		{Path: "/root", Dir: true, Mode: 0o700},
		{Path: "/tmp", Dir: true, Mode: 0o1777},
		{Path: "/var/spool/mail", Dir: true},
	}
	for applet := range strings.FieldsSeq(string(list)) {
		if p := path.Join("/", applet); p != "/bin/busybox" {
			entries = append(entries, image.Entry{Path: p, Link: "/bin/busybox"})
		}
	}
	spec := image.Spec{Layers: [][]image.Entry{entries}, Cmd: []string{"sh"}, Architecture: arch}
	return write(cache, binary, Busybox, spec)
}

// archiveVersion changes when archives of the same programs must be made again.
const archiveVersion = "2"

// write makes the archive unless the cache has it, under a name that tells the
// program it was made of.
func write(cache, binary, name string, spec image.Spec) (Archive, error) {
	digest, err := fileDigest(binary)
	if err != nil {
		return Archive{}, err
	}
	dir := filepath.Join(cache, "images")
	base := strings.NewReplacer("/", "_", ":", "_").Replace(name)
	archive := Archive{Image: name, File: filepath.Join(dir, fmt.Sprintf("%s-%s-%s.tar", base, digest[:12], archiveVersion))}
	if _, err := os.Stat(archive.File); err == nil {
		return archive, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Archive{}, err
	}
	img, err := image.Build(spec)
	if err != nil {
		return Archive{}, err
	}
	return archive, image.WriteArchive(archive.File, img, name)
}

func fileDigest(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, f.Close())
}
