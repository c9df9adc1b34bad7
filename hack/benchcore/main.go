// Benchcore prints the results of "go test -bench" for internal/scale as a table: CPU time and
// allocations per step at every size, and the ratio of a step's time at the largest size to
// that at the smallest. It reads standard input.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
)

// line is the result of one benchmark at one size.
type line struct {
	name             string
	size             float64
	nanos, allocated float64 // of one run
}

func main() {
	lines, failed, err := read(os.Stdin)
	if err == nil && len(lines) == 0 {
		err = fmt.Errorf("there is no benchmark in the input")
	}
	if err == nil {
		err = write(os.Stdout, lines)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchcore:", err)
		os.Exit(1)
	}
	if failed {
		os.Exit(1)
	}
}

// read finds lines such as
//
//	BenchmarkCore/plan/flow_ends/100-2   20   9130 ns/op   9011 cpu-ns/op   25980 B/op   125 allocs/op
//
// and returns whether go test reported a failure.
func read(in io.Reader) (lines []line, failed bool, err error) {
	scanner := bufio.NewScanner(in)
	for scanner.Scan() {
		fields := strings.Fields(scanner.Text())
		if len(fields) == 0 {
			continue
		}
		if !strings.HasPrefix(fields[0], "Benchmark") || len(fields) < 3 {
			if fields[0] == "FAIL" || fields[0] == "---" {
				failed = true
				fmt.Fprintln(os.Stderr, scanner.Text())
			}
			continue
		}
		l, err := parse(fields)
		if err != nil {
			return nil, false, fmt.Errorf("%q: %w", scanner.Text(), err)
		}
		lines = append(lines, l)
	}
	return lines, failed, scanner.Err()
}

func parse(fields []string) (l line, err error) {
	path := strings.Split(fields[0], "/")
	size, _, _ := strings.Cut(path[len(path)-1], "-") // -2 is GOMAXPROCS
	if l.size, err = strconv.ParseFloat(size, 64); err != nil {
		return l, err
	}
	l.name = strings.ReplaceAll(strings.Join(path[1:len(path)-1], "/"), "_", " ")
	for i := 2; i+1 < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return l, err
		}
		switch fields[i+1] {
		case "cpu-ns/op":
			l.nanos = value
		case "allocs/op":
			l.allocated = value
		}
	}
	return l, nil
}

// write prints a row for each name. In the input the sizes of a name are consecutive.
func write(out io.Writer, lines []line) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for from := 0; from < len(lines); {
		to := from
		for to < len(lines) && lines[to].name == lines[from].name {
			to++
		}
		sizes := lines[from:to]
		if from == 0 {
			fmt.Fprintln(w, header(sizes)+"\t  ")
		}
		var row strings.Builder
		for _, l := range sizes {
			fmt.Fprintf(&row, "%.0f\t", l.nanos/l.size)
		}
		first, last := sizes[0], sizes[len(sizes)-1]
		fmt.Fprintf(&row, "%.2f\t", last.nanos/last.size/(first.nanos/first.size))
		for _, l := range sizes {
			fmt.Fprintf(&row, "%.1f\t", l.allocated/l.size)
		}
		fmt.Fprintf(w, "%s  %s\n", row.String(), first.name)
		from = to
	}
	return w.Flush()
}

func header(sizes []line) string {
	var times, allocations []string
	for _, l := range sizes {
		times = append(times, fmt.Sprintf("ns/step of %.0f", l.size))
		allocations = append(allocations, fmt.Sprintf("allocs/step of %.0f", l.size))
	}
	ratio := fmt.Sprintf("%.0f : %.0f", sizes[len(sizes)-1].size, sizes[0].size)
	return strings.Join(append(append(times, ratio), allocations...), "\t")
}
