package process

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// startTime is the process's start in clock ticks since boot, with the boot's id,
// since ticks begin anew with each boot.
func startTime(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	state, ticks, err := parseStat(string(stat))
	if err != nil {
		return "", err
	}
	if state == "Z" || state == "X" {
		return "", ErrNotRunning
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(boot)) + "/" + ticks, nil
}

// parseStat takes state and start time out of /proc/PID/stat. The command name
// stands in parentheses and may itself hold spaces and parentheses.
func parseStat(stat string) (state, ticks string, err error) {
	end := strings.LastIndex(stat, ")")
	if end < 0 {
		return "", "", errors.New("unreadable /proc stat line")
	}
	fields := strings.Fields(stat[end+1:])
	// The first of these is field 3 of proc(5); the start time is field 22.
	if len(fields) < 20 {
		return "", "", errors.New("short /proc stat line")
	}
	return fields[0], fields[19], nil
}

func enterNetns(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
}
