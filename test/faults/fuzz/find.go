package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"strings"
)

// target is one fuzz test.
type target struct {
	pkg, name string
}

func (t target) String() string { return path.Base(t.pkg) + "." + t.name }

// find lists the fuzz tests of packages, in the order of go test.
func find(module string, packages []string) ([]target, error) {
	command := exec.Command("go", append([]string{"test", "-json", "-list", "^Fuzz"}, packages...)...)
	command.Dir = module
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	targets, err := listed(out)
	if failed := command.Wait(); failed != nil {
		return nil, fmt.Errorf("listing the fuzz tests: %w", failed)
	}
	return targets, err
}

// listed reads the events of go test -json -list.
func listed(events io.Reader) ([]target, error) {
	var targets []target
	decoder := json.NewDecoder(events)
	for {
		var event struct{ Action, Package, Output string }
		if err := decoder.Decode(&event); errors.Is(err, io.EOF) {
			return targets, nil
		} else if err != nil {
			return nil, fmt.Errorf("reading the list of fuzz tests: %w", err)
		}
		if name := strings.TrimSpace(event.Output); event.Action == "output" && strings.HasPrefix(name, "Fuzz") {
			targets = append(targets, target{event.Package, name})
		}
	}
}
