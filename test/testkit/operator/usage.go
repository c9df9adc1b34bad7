package operator

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory returns the resident set of the operator, now and at its peak, in KiB.
func (p *Process) Memory() (now, peak int, err error) {
	content, err := p.proc("status")
	if err != nil {
		return 0, 0, err
	}
	read := func(name string) (int, error) {
		_, rest, _ := strings.Cut(content, name+":")
		value, _, _ := strings.Cut(rest, "kB")
		return strconv.Atoi(strings.TrimSpace(value))
	}
	now, errNow := read("VmRSS")
	peak, errPeak := read("VmHWM")
	return now, peak, errors.Join(errNow, errPeak)
}

// CPU returns how many seconds of processor time the operator has used.
func (p *Process) CPU() (float64, error) {
	content, err := p.proc("stat")
	if err != nil {
		return 0, err
	}
	// The program's name, in parentheses, may contain spaces.
	fields := strings.Fields(content[strings.LastIndexByte(content, ')')+1:])
	const utime, stime, ticksPerSecond = 11, 12, 100
	user, errUser := strconv.ParseFloat(fields[utime], 64)
	system, errSystem := strconv.ParseFloat(fields[stime], 64)
	return (user + system) / ticksPerSecond, errors.Join(errUser, errSystem)
}

func (p *Process) proc(file string) (string, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, file))
	return string(content), err
}
