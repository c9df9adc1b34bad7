package image

import (
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
)

// StaticArchitecture checks that file is a Linux program that needs no libraries,
// since an image made of it has none, and returns its architecture in Go's terms.
func StaticArchitecture(file string) (string, error) {
	f, err := elf.Open(file)
	if err != nil {
		return "", fmt.Errorf("%s is not a Linux program: %w; build it with CGO_ENABLED=0 GOOS=linux go build", file, err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return "", fmt.Errorf("%s is linked dynamically and would not start in an image without libraries; build it with CGO_ENABLED=0", file)
		}
	}
	switch f.Machine {
	case elf.EM_X86_64:
		return "amd64", nil
	case elf.EM_AARCH64:
		return "arm64", nil
	case elf.EM_ARM:
		return "arm", nil
	case elf.EM_S390:
		return "s390x", nil
	case elf.EM_PPC64:
		return "ppc64le", nil
	case elf.EM_RISCV:
		return "riscv64", nil
	}
	return "", fmt.Errorf("%s is for an unknown machine (%s)", file, f.Machine)
}

// ForBinary is the image of one static program at /NAME, started as the given
// user: what a distroless base image would hold and nothing more.
func ForBinary(file, user string) (Spec, error) {
	arch, err := StaticArchitecture(file)
	if err != nil {
		return Spec{}, err
	}
	program := path.Join("/", filepath.Base(file))
	return Spec{
		Layers: [][]Entry{append(userFiles(),
			Entry{Path: program, Source: file, Mode: 0o755},
			Entry{Path: "/tmp", Dir: true, Mode: 0o1777},
		)},
		Entrypoint:   []string{program},
		User:         user,
		WorkingDir:   "/",
		Architecture: arch,
	}, nil
}

// ForFiles is an image that holds files and starts nothing.
func ForFiles(user string) Spec {
	return Spec{User: user, WorkingDir: "/", Architecture: runtime.GOARCH}
}

// FromMachine are the entries of a file of this machine, or of a directory and all
// that is in it, at the given place in the image.
func FromMachine(source, destination string) ([]Entry, error) {
	var entries []Entry
	err := filepath.WalkDir(source, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(source, file)
		if err != nil {
			return err
		}
		entry := Entry{Path: path.Join(destination, filepath.ToSlash(below)), Source: file, Mode: int64(info.Mode().Perm())}
		if d.IsDir() {
			// Its mode counts too: a program may have to write there.
			entry.Source, entry.Dir = "", true
		}
		entries = append(entries, entry)
		return nil
	})
	return entries, err
}

// userFiles name the users that images commonly run as, for programs that look
// themselves up.
func userFiles() []Entry {
	return []Entry{
		{Path: "/etc/passwd", Content: []byte("root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin\n")},
		{Path: "/etc/group", Content: []byte("root:x:0:\nnonroot:x:65532:\n")},
	}
}
