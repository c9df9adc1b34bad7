package cluster

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// DefaultNodes is the number of nodes without --nodes.
const DefaultNodes = 3

// MaxSimulated nodes: a bound against a slip of the finger.
const MaxSimulated = 5000

// firstNode and the names after it are those of the published examples.
const firstNode = "minikube"

var dnsName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// ParseNodes reads what --nodes was given: a number, or names.
func ParseNodes(value string) ([]string, error) {
	if n, err := strconv.Atoi(value); err == nil {
		if n < 1 || n > MaxSimulated {
			return nil, fmt.Errorf("--nodes %s: give a number from 1 to %d, or names separated by commas", value, MaxSimulated)
		}
		return numberedNodes(n), nil
	}
	names := strings.Split(value, ",")
	seen := map[string]bool{}
	for i, name := range names {
		name = strings.TrimSpace(name)
		if !dnsName.MatchString(name) {
			return nil, fmt.Errorf("--nodes: %q is not a node name: use up to 63 lower-case letters, digits and dashes, beginning and ending with a letter or digit", name)
		}
		if seen[name] {
			return nil, fmt.Errorf("--nodes: %q is given twice", name)
		}
		seen[name] = true
		names[i] = name
	}
	return names, nil
}

// numberedNodes are minikube, node1, node2, and so on.
func numberedNodes(n int) []string {
	names := []string{firstNode}
	for i := 1; i < n; i++ {
		names = append(names, fmt.Sprintf("node%d", i))
	}
	return names
}
