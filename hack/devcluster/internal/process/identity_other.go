//go:build unix && !linux

package process

import (
	"errors"
	"os/exec"
	"strconv"
	"strings"
)

func startTime(pid int) (string, error) {
	out, err := exec.Command("ps", "-o", "stat=,lstart=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return "", ErrNotRunning
	}
	state, started, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if state == "" || strings.HasPrefix(state, "Z") {
		return "", ErrNotRunning
	}
	return strings.Join(strings.Fields(started), " "), nil
}

func enterNetns(string) error {
	return errors.New("network namespaces are Linux's")
}
