//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// LaunchVerb is the hidden verb by which the program becomes a daemon.
const LaunchVerb = "launch-daemon"

// launchCommand starts the daemon by way of this program, which writes the record
// itself before it becomes the daemon: were the record written by the parent, a
// kill between start and record would leave a daemon that nobody knows of.
func launchCommand(spec Spec, command, record string) (*exec.Cmd, bool, error) {
	args := append([]string{LaunchVerb, spec.Name, command, record, spec.Netns, spec.Path}, spec.Args...)
	cmd, err := selfCommand(args...)
	return cmd, true, err
}

// The daemon must exec on the process's first thread, which is where init functions
// run: when another thread does, the kernel shows the process as a zombie while the
// threads change places, and for that moment it looks dead to Find.
func init() {
	if len(os.Args) > 1 && os.Args[1] == LaunchVerb {
		runtime.LockOSThread()
	}
}

// Launch is the body of LaunchVerb; it only returns on error.
func Launch(args []string) error {
	if len(args) < 5 {
		return errors.New("launch-daemon is for internal use")
	}
	name, command, record, netns, path := args[0], args[1], args[2], args[3], args[4]
	// The namespace is a property of the thread, and exec keeps that of its own.
	if netns != "" {
		if err := enterNetns(netns); err != nil {
			return fmt.Errorf("entering network namespace %s: %w", netns, err)
		}
	}
	started, err := startTime(os.Getpid())
	if err != nil {
		return err
	}
	if err := WriteRecord(record, Record{Name: name, PID: os.Getpid(), Started: started, Command: command}); err != nil {
		return err
	}
	if err := syscall.Exec(path, append([]string{path}, args[5:]...), os.Environ()); err != nil {
		os.Remove(record)
		return fmt.Errorf("exec %s: %w", path, err)
	}
	return nil
}

func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
}

func terminate(pid int) error { return syscall.Kill(pid, syscall.SIGTERM) }

func pause(pid int) error { return syscall.Kill(pid, syscall.SIGSTOP) }

func resume(pid int) error { return syscall.Kill(pid, syscall.SIGCONT) }
