package toolchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/progress"
)

// Toolchain builds programs from the modules under source into cache.
type Toolchain struct {
	source string
	cache  string
	say    *progress.Printer
}

// New returns a Toolchain; nothing is built yet.
func New(source, cache string, say *progress.Printer) *Toolchain {
	return &Toolchain{source: source, cache: cache, say: say}
}

// Version is the version of the set that the program belongs to.
func (t *Toolchain) Version(p Program) (string, error) {
	s, err := setOf(p)
	if err != nil {
		return "", err
	}
	return s.versionIn(t.source)
}

// Ensure builds those of the programs that are not in the cache, and returns the
// path of each.
func (t *Toolchain) Ensure(ctx context.Context, programs ...Program) (map[Program]string, error) {
	paths := make(map[Program]string, len(programs))
	for _, s := range sets {
		var wanted []Program
		for _, p := range programs {
			if _, ok := s.packages[p]; ok {
				wanted = append(wanted, p)
			}
		}
		if len(wanted) == 0 {
			continue
		}
		if err := t.ensureSet(ctx, s, wanted, paths); err != nil {
			return nil, err
		}
	}
	for _, p := range programs {
		if paths[p] == "" {
			return nil, fmt.Errorf("no tool set holds %s", p)
		}
	}
	return paths, nil
}

func (t *Toolchain) ensureSet(ctx context.Context, s set, wanted []Program, paths map[Program]string) error {
	version, err := s.versionIn(t.source)
	if err != nil {
		return err
	}
	dir := filepath.Join(t.cache, s.name+"-"+version)
	missing := func() []Program {
		var out []Program
		for _, p := range wanted {
			paths[p] = filepath.Join(dir, exeName(p))
			if _, err := os.Stat(paths[p]); err != nil && !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
		return out
	}
	// First without the lock: usually everything exists.
	if len(missing()) == 0 {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	unlock, err := t.lock(ctx, filepath.Join(t.cache, s.name+"-"+version+".lock"), s.name)
	if err != nil {
		return err
	}
	defer unlock()
	// A killed build left these; nothing uses them, since this process holds the lock.
	removeStale(dir)
	build := missing()
	if len(build) == 0 {
		return nil
	}
	return t.build(ctx, s, version, dir, build)
}

// build compiles into a temporary directory next to the target and renames, so that every file
// in the cache is complete.
func (t *Toolchain) build(ctx context.Context, s set, version, dir string, programs []Program) error {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return errors.New("the go command is not on PATH; it is needed to build the cluster's programs (https://go.dev/doc/install)")
	}
	tmp, err := os.MkdirTemp(dir, buildPrefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)

	ldflags := []string{"-s", "-w"}
	if s.ldflags != nil {
		ldflags = append(ldflags, s.ldflags(version)...)
	}
	// One program is named outright: go would call etcd's "server", for its path.
	output := tmp + string(filepath.Separator)
	if len(programs) == 1 {
		output = filepath.Join(tmp, exeName(programs[0]))
	}
	args := []string{"build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", strings.Join(ldflags, " "), "-o", output}
	names := make([]string, 0, len(programs))
	for _, p := range programs {
		args = append(args, s.packages[p])
		names = append(names, string(p))
	}
	what := strings.Join(names, ", ") + " " + version

	cmd := exec.CommandContext(ctx, goTool, args...)
	cmd.Dir = filepath.Join(t.source, filepath.FromSlash(s.dir))
	cmd.Env = buildEnv(os.Environ())
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var compiled counter
	log := &compileLog{compiled: &compiled}
	cmd.Stderr = log
	cmd.Stdout = log

	t.say.Say("building %s (%s)", what, s.hint)
	begin := time.Now()
	stop := t.say.Every(15*time.Second, func(elapsed time.Duration) string {
		return fmt.Sprintf("building %s: %s so far, %d packages compiled (%s)", what, elapsed, compiled.Load(), s.hint)
	})
	err = cmd.Run()
	stop()
	if ctx.Err() != nil {
		return fmt.Errorf("building %s: interrupted; run again, what was compiled is kept", what)
	}
	if err != nil {
		return fmt.Errorf("building %s in %s: %w\n%s", what, cmd.Dir, err, log.tail())
	}
	for _, p := range programs {
		if err := os.Rename(filepath.Join(tmp, exeName(p)), filepath.Join(dir, exeName(p))); err != nil {
			return fmt.Errorf("building %s: %w", p, err)
		}
	}
	t.say.Say("built %s in %s", what, time.Since(begin).Round(time.Second))
	return nil
}

// buildEnv is the environment for a build of programs for this machine: a
// caller's settings for its own build (another GOOS, a vendor directory, a
// workspace) must not leak in.
func buildEnv(environ []string) []string {
	env := slices.DeleteFunc(slices.Clone(environ), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		switch name {
		case "GOOS", "GOARCH", "GOFLAGS", "GOWORK", "CGO_ENABLED", "GOEXPERIMENT":
			return true
		}
		return false
	})
	return append(env, "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
}

const buildPrefix = ".building-"

func removeStale(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), buildPrefix) {
			os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}

// lock waits for the lock on file, and prints a message if another run holds it.
func (t *Toolchain) lock(ctx context.Context, file, what string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	l := flock.New(file)
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", file, err)
	}
	if !ok {
		t.say.Say("another devcluster is building %s; waiting for it", what)
		stop := t.say.Every(15*time.Second, func(elapsed time.Duration) string {
			return fmt.Sprintf("waiting for another build of %s: %s so far", what, elapsed)
		})
		_, err = l.TryLockContext(ctx, 500*time.Millisecond)
		stop()
		if err != nil {
			return nil, fmt.Errorf("waiting for %s: %w", file, err)
		}
	}
	return func() { _ = l.Unlock() }, nil
}

// Assets returns a directory that holds kube-apiserver, etcd and kubectl, as
// envtest wants them (KUBEBUILDER_ASSETS). The programs come from different tool
// sets, so the directory is made of links.
func (t *Toolchain) Assets(ctx context.Context) (string, error) {
	built, err := t.Ensure(ctx, APIServer, Kubectl, Etcd)
	if err != nil {
		return "", err
	}
	kubernetes, err := t.Version(APIServer)
	if err != nil {
		return "", err
	}
	etcd, err := t.Version(Etcd)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(t.cache, fmt.Sprintf("assets-%s-etcd-%s", kubernetes, etcd))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for p, path := range built {
		if err := linkOrCopy(path, filepath.Join(dir, exeName(p))); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// linkOrCopy puts src at dst atomically, since other processes may be starting the program.
func linkOrCopy(src, dst string) error {
	from, err := os.Stat(src)
	if err != nil {
		return err
	}
	if to, err := os.Stat(dst); err == nil && (os.SameFile(from, to) || (to.Size() == from.Size() && !to.ModTime().Before(from.ModTime()))) {
		return nil
	}
	tmp, err := os.CreateTemp(filepath.Dir(dst), buildPrefix)
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	tmp.Close()
	if err := os.Remove(tmp.Name()); err != nil {
		return err
	}
	if err := os.Link(src, tmp.Name()); err != nil {
		if err := copyFile(src, tmp.Name()); err != nil {
			return err
		}
	}
	return os.Rename(tmp.Name(), dst)
}

func copyFile(src, dst string) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(dst, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// exeName is the program's file name; "go build" adds the suffix on Windows.
func exeName(p Program) string {
	if runtime.GOOS == "windows" {
		return string(p) + ".exe"
	}
	return string(p)
}

// compileLog counts the packages that "go build -v" names, and keeps the other
// lines for the error message.
type compileLog struct {
	compiled *counter
	partial  []byte
	other    []string
}

func (l *compileLog) Write(b []byte) (int, error) {
	l.partial = append(l.partial, b...)
	for {
		line, rest, ok := bytes.Cut(l.partial, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		l.partial = rest
		l.line(string(line))
	}
}

func (l *compileLog) line(line string) {
	if !strings.ContainsAny(line, " \t:") {
		l.compiled.Add(1)
		return
	}
	if strings.HasPrefix(line, "go: downloading ") {
		return
	}
	l.other = append(l.other, line)
	if len(l.other) > 60 {
		l.other = l.other[1:]
	}
}

func (l *compileLog) tail() string {
	return "  " + strings.Join(append(slices.Clone(l.other), string(l.partial)), "\n  ")
}

// counter is read while it is counted up.
type counter = atomic.Int64
