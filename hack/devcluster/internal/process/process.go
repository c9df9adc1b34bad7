// Package process runs daemons that outlive the command that started them, and
// finds them again: each leaves a record with its pid and the time it started, so
// that a pid which now belongs to another process is never taken for the daemon.
package process

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Spec says how to start a daemon.
type Spec struct {
	// Name is unique in the cluster and names the record and the log.
	Name string
	Path string
	Args []string
	// Env is added to the environment, of which little is passed on.
	Env []string
	// Netns is a network namespace file to start in; empty for the present one.
	Netns string
}

// Record is what is kept of a started daemon.
type Record struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
	// Started is the kernel's start time of the pid. Compare it only for equality.
	Started string `json:"started"`
	// Command identifies path, arguments and environment, so that a daemon
	// started with other settings is noticed.
	Command string `json:"command"`
}

// ErrNotRunning means that the process of a record is gone.
var ErrNotRunning = errors.New("not running")

// Manager starts and stops the daemons of one cluster.
type Manager struct {
	records string
	logs    string
}

// NewManager keeps records and logs in directories under dir.
func NewManager(dir string) *Manager {
	return &Manager{records: filepath.Join(dir, "proc"), logs: filepath.Join(dir, "logs")}
}

// LogFile is where the named daemon writes.
func (m *Manager) LogFile(name string) string { return filepath.Join(m.logs, name+".log") }

func (m *Manager) recordFile(name string) string { return filepath.Join(m.records, name+".json") }

// Ensure starts the daemon unless it runs already with the same command. It continues a paused
// daemon.
func (m *Manager) Ensure(spec Spec) (started bool, err error) {
	command := commandID(spec)
	if r, err := m.Find(spec.Name); err == nil {
		if r.Command == command {
			// It may be paused.
			return false, resume(r.PID)
		}
		if err := m.Stop(spec.Name, 10*time.Second); err != nil {
			return false, err
		}
	}
	return true, m.start(spec, command)
}

func (m *Manager) start(spec Spec, command string) error {
	if err := errors.Join(os.MkdirAll(m.records, 0o700), os.MkdirAll(m.logs, 0o755)); err != nil {
		return err
	}
	log, err := os.OpenFile(m.LogFile(spec.Name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	fmt.Fprintf(log, "--- devcluster starts %s at %s\n", spec.Name, time.Now().UTC().Format(time.RFC3339))
	cmd, recordedByChild, err := launchCommand(spec, command, m.recordFile(spec.Name))
	if err != nil {
		return err
	}
	cmd.Env = append(plainEnv(os.Environ()), spec.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	// A root that is always there; the caller's folder may be deleted meanwhile.
	cmd.Dir = filepath.Dir(m.records)
	detach(cmd)
	if err := os.Remove(m.recordFile(spec.Name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", spec.Name, err)
	}
	// Reap it if it ends while we are here; otherwise it would look alive.
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	if !recordedByChild {
		started, err := startTime(cmd.Process.Pid)
		if err != nil {
			return fmt.Errorf("starting %s: %w", spec.Name, err)
		}
		return WriteRecord(m.recordFile(spec.Name), Record{Name: spec.Name, PID: cmd.Process.Pid, Started: started, Command: command})
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		if _, err := os.Stat(m.recordFile(spec.Name)); err == nil {
			return nil
		}
		select {
		case err := <-exited:
			return fmt.Errorf("starting %s: ended at once (%w)\n%s", spec.Name, err, m.Tail(spec.Name, 20))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("starting %s: it did not come up within 20s", spec.Name)
		}
	}
}

// WriteRecord writes a record; a reader sees all of it or none.
func WriteRecord(file string, r Record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	tmp := fmt.Sprintf("%s.%d", file, r.PID)
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}

// Find returns the record of a daemon that runs, or ErrNotRunning.
func (m *Manager) Find(name string) (Record, error) {
	data, err := os.ReadFile(m.recordFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, ErrNotRunning
	}
	if err != nil {
		return Record{}, err
	}
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return Record{}, fmt.Errorf("%s: %w", m.recordFile(name), err)
	}
	if !r.alive() {
		return r, ErrNotRunning
	}
	return r, nil
}

// alive reports whether the recorded process runs, and not another one with its pid.
func (r Record) alive() bool {
	started, err := startTime(r.PID)
	return err == nil && started == r.Started
}

// Names lists the daemons that have a record, running or not.
func (m *Manager) Names() ([]string, error) {
	entries, err := os.ReadDir(m.records)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".json"); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Stop ends a daemon with a signal, and by force after the grace period. It is no error if the
// daemon does not run.
func (m *Manager) Stop(name string, grace time.Duration) error {
	r, err := m.Find(name)
	if errors.Is(err, ErrNotRunning) {
		return m.forget(name)
	}
	if err != nil {
		return err
	}
	if err := r.end(grace); err != nil {
		return fmt.Errorf("stopping %s (pid %d): %w", name, r.PID, err)
	}
	return m.forget(name)
}

func (m *Manager) forget(name string) error {
	if err := os.Remove(m.recordFile(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (r Record) end(grace time.Duration) error {
	if err := terminate(r.PID); err != nil && r.alive() {
		return err
	}
	if r.waitGone(grace) {
		return nil
	}
	return r.kill()
}

func (r Record) kill() error {
	p, err := os.FindProcess(r.PID)
	if err == nil {
		err = p.Kill()
	}
	if err != nil && r.alive() {
		return err
	}
	if !r.waitGone(10 * time.Second) {
		return errors.New("still there after a kill")
	}
	return nil
}

func (r Record) waitGone(limit time.Duration) bool {
	for deadline := time.Now().Add(limit); r.alive(); {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(50 * time.Millisecond)
	}
	return true
}

// Kill ends a daemon as a crash does, and waits until it is gone. It must run.
func (m *Manager) Kill(name string) error {
	r, err := m.Find(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return r.kill()
}

// Pause stops a daemon, like a machine that hangs. The daemon must run.
func (m *Manager) Pause(name string) error { return m.signal(name, pause) }

// Resume continues a daemon that is paused. The daemon must run.
func (m *Manager) Resume(name string) error { return m.signal(name, resume) }

func (m *Manager) signal(name string, signal func(pid int) error) error {
	r, err := m.Find(name)
	if err == nil {
		err = signal(r.PID)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Tail is the end of a daemon's log, indented, for error messages.
func (m *Manager) Tail(name string, lines int) string {
	data, err := os.ReadFile(m.LogFile(name))
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return "  last lines of " + m.LogFile(name) + ":\n    " + strings.Join(all, "\n    ")
}

// plainEnv is what daemons get of the caller's environment: little, since much of
// it is not meant for them. With a proxy in it, the API server would look for
// webhooks there.
func plainEnv(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		switch strings.ToUpper(name) {
		case "PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR",
			"SYSTEMROOT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA":
			return false
		}
		return true
	})
}

// ConfigEnv is an environment variable that changes with a configuration's content,
// and makes Ensure start a daemon anew when it does.
func ConfigEnv(config string) string {
	sum := sha256.Sum256([]byte(config))
	return "DEVCLUSTER_CONFIG=" + hex.EncodeToString(sum[:8])
}

func commandID(spec Spec) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q", spec.Path, spec.Args, spec.Env, spec.Netns)
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// selfCommand runs this very program with a hidden verb.
func selfCommand(args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return exec.Command(self, args...), nil
}
