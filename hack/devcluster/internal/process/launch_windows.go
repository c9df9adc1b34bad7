package process

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/windows"
)

// LaunchVerb is the hidden verb by which the program becomes a daemon; Windows
// cannot replace a process's program, so it is not used there.
const LaunchVerb = "launch-daemon"

// Launch is not to be had on Windows.
func Launch([]string) error { return errors.New("launch-daemon is not used on Windows") }

func launchCommand(spec Spec, _, _ string) (*exec.Cmd, bool, error) {
	return exec.Command(spec.Path, spec.Args...), false, nil
}

func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.DETACHED_PROCESS}
}

// terminate ends the process outright: Windows has no polite way for a process
// without a console.
func terminate(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return nil
	}
	return p.Kill()
}

func pause(int) error { return errors.New("a process cannot be paused on Windows") }

// resume has nothing to do where nothing can be paused.
func resume(int) error { return nil }

func startTime(pid int) (string, error) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return "", err
	}
	defer windows.CloseHandle(h)
	var code uint32
	const stillActive = 259
	if err := windows.GetExitCodeProcess(h, &code); err != nil {
		return "", err
	}
	if code != stillActive {
		return "", ErrNotRunning
	}
	var creation, exit, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(h, &creation, &exit, &kernel, &user); err != nil {
		return "", err
	}
	return strconv.FormatInt(creation.Nanoseconds(), 10), nil
}
