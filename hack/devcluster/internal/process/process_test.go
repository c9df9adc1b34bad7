//go:build unix

package process

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == LaunchVerb {
		panic(Launch(os.Args[2:]))
	}
	os.Exit(m.Run())
}

func newManager(t *testing.T) *Manager {
	t.Helper()
	m := NewManager(t.TempDir())
	if err := os.MkdirAll(m.records, 0o700); err != nil {
		t.Fatal(err)
	}
	return m
}

func sleepSpec(t *testing.T, seconds string) Spec {
	t.Helper()
	path, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip("no sleep here")
	}
	return Spec{Name: "sleeper", Path: path, Args: []string{seconds}}
}

func TestDaemonIsKeptRestartedAndStopped(t *testing.T) {
	m := newManager(t)
	t.Cleanup(func() { _ = m.Stop("sleeper", time.Second) })
	if started, err := m.Ensure(sleepSpec(t, "600")); err != nil || !started {
		t.Fatalf("first: started %v, %v", started, err)
	}
	first, err := m.Find("sleeper")
	if err != nil {
		t.Fatal(err)
	}
	if started, err := m.Ensure(sleepSpec(t, "600")); err != nil || started {
		t.Fatalf("the same again: started %v, %v", started, err)
	}
	if started, err := m.Ensure(sleepSpec(t, "601")); err != nil || !started {
		t.Fatalf("another command: started %v, %v", started, err)
	}
	second, err := m.Find("sleeper")
	if err != nil {
		t.Fatal(err)
	}
	if first.PID == second.PID || first.alive() {
		t.Error("the daemon with the old command still runs")
	}
	if err := m.Stop("sleeper", time.Second); err != nil {
		t.Fatal(err)
	}
	if second.alive() {
		t.Error("still alive after Stop")
	}
	if names, _ := m.Names(); len(names) != 0 {
		t.Errorf("records left: %v", names)
	}
}

func TestPausedDaemonGoesOn(t *testing.T) {
	for name, goOn := range map[string]func(*Manager) error{
		"when it is resumed":              func(m *Manager) error { return m.Resume("sleeper") },
		"when it is asked for once again": func(m *Manager) error { _, err := m.Ensure(sleepSpec(t, "600")); return err },
	} {
		t.Run(name, func(t *testing.T) {
			m := newManager(t)
			t.Cleanup(func() { _ = m.Stop("sleeper", time.Second) })
			if _, err := m.Ensure(sleepSpec(t, "600")); err != nil {
				t.Fatal(err)
			}
			if err := m.Pause("sleeper"); err != nil {
				t.Fatal(err)
			}
			paused, err := m.Find("sleeper")
			if err != nil {
				t.Fatalf("a paused daemon still is one that runs: %v", err)
			}
			awaitState(t, paused.PID, true)
			if err := goOn(m); err != nil {
				t.Fatal(err)
			}
			awaitState(t, paused.PID, false)
			if now, err := m.Find("sleeper"); err != nil || now.PID != paused.PID {
				t.Errorf("pid %d, %v; want %d", now.PID, err, paused.PID)
			}
		})
	}
}

// awaitState waits until ps shows a process as stopped, or as not stopped.
func awaitState(t *testing.T, pid int, stopped bool) {
	t.Helper()
	var state []byte
	for range 100 {
		var err error
		if state, err = exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output(); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(string(state), "T") == stopped {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("state %s, want it to be stopped: %v", state, stopped)
}

func TestKilledDaemonIsStartedAgain(t *testing.T) {
	m := newManager(t)
	t.Cleanup(func() { _ = m.Stop("sleeper", time.Second) })
	if err := m.Kill("sleeper"); !errors.Is(err, ErrNotRunning) {
		t.Errorf("killing what does not run: %v, want ErrNotRunning", err)
	}
	if _, err := m.Ensure(sleepSpec(t, "600")); err != nil {
		t.Fatal(err)
	}
	if err := m.Kill("sleeper"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Find("sleeper"); !errors.Is(err, ErrNotRunning) {
		t.Errorf("Find: %v, want ErrNotRunning", err)
	}
	if started, err := m.Ensure(sleepSpec(t, "600")); err != nil || !started {
		t.Errorf("started %v, %v", started, err)
	}
}

func TestStrangerWithOurPidIsLeftAlone(t *testing.T) {
	m := newManager(t)
	spec := sleepSpec(t, "600")
	stranger := exec.Command(spec.Path, spec.Args...)
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Process.Kill(); _ = stranger.Wait() }()
	if err := WriteRecord(m.recordFile("sleeper"), Record{Name: "sleeper", PID: stranger.Process.Pid, Started: "another time"}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Find("sleeper"); !errors.Is(err, ErrNotRunning) {
		t.Errorf("Find: %v, want ErrNotRunning", err)
	}
	if err := m.Stop("sleeper", time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := startTime(stranger.Process.Pid); err != nil {
		t.Errorf("the stranger was ended: %v", err)
	}
}

func TestMissingProgramIsAnError(t *testing.T) {
	m := newManager(t)
	if _, err := m.Ensure(Spec{Name: "none", Path: "/does/not/exist"}); err == nil {
		// The record may be written before exec fails; the daemon must not
		// count as running then.
		time.Sleep(100 * time.Millisecond)
		if _, err := m.Find("none"); !errors.Is(err, ErrNotRunning) {
			t.Errorf("Find: %v, want ErrNotRunning", err)
		}
	}
}
