package scale_test

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkCore is what "make bench-core" shows, for each of the cases at three sizes.
func BenchmarkCore(b *testing.B) {
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		for _, n := range []int{10, 100, 1000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				work := cases[name](n)
				b.ReportAllocs()
				before := processorTime(b)
				for b.Loop() {
					work()
				}
				b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// processorTime is what this process has used: unlike the time that passes, it does not
// depend on who else uses the machine.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// How much more one further step may cost between 100 and 1,000 than between 10 and
// 100. Of what is quadratic it is 10 times as much, of what is sorted 1.5 times. Bytes
// come in the sizes by which maps and slices grow.
const (
	steepest        = 2
	steepestInBytes = 5
)

// slopes are what one further step costs up to 100, and from there to 1,000.
func slopes(at10, at100, at1000, most float64) (few, many float64, linear bool) {
	few, many = (at100-at10)/90, (at1000-at100)/900
	return few, many, many <= most*few+1
}

func TestSlopes(t *testing.T) {
	for name, test := range map[string]struct {
		cost func(n float64) float64
		want bool
	}{
		"constant":  {func(float64) float64 { return 1e6 }, true},
		"linear":    {func(n float64) float64 { return 500 + 7*n }, true},
		"sorted":    {func(n float64) float64 { return 50 * n * math.Log(n) }, true},
		"quadratic": {func(n float64) float64 { return 500 + 7*n + n*n }, false},
	} {
		t.Run(name, func(t *testing.T) {
			if few, many, linear := slopes(test.cost(10), test.cost(100), test.cost(1000), steepest); linear != test.want {
				t.Errorf("%.1f and %.1f: linear %t, want %t", few, many, linear, test.want)
			}
		})
	}
}

func checkLinear(t *testing.T, unit string, cost [3]float64, most float64) {
	t.Helper()
	if few, many, linear := slopes(cost[0], cost[1], cost[2], most); !linear {
		t.Errorf("%s a step: %.1f up to 100, %.1f from there to 1,000", unit, few, many)
	}
}

// TestAllocations: what is allocated for a step does not depend on how many there are.
func TestAllocations(t *testing.T) {
	for name, at := range cases {
		t.Run(name, func(t *testing.T) {
			var bytes, count [3]float64
			for i, n := range []int{10, 100, 1000} {
				bytes[i], count[i] = allocations(at(n))
			}
			checkLinear(t, "bytes", bytes, steepestInBytes)
			checkLinear(t, "allocations", count, steepest)
		})
	}
}

func allocations(work func()) (bytes, count float64) {
	work() // what is made once, by whoever comes first
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc - before.TotalAlloc), float64(after.Mallocs - before.Mallocs)
}

// counted is what TestStatements runs in a process of its own: CASE/SIZE.
var counted = flag.String("scale.counted", "", "run one case once, before the tests")

func TestMain(m *testing.M) {
	flag.Parse()
	if name, size, is := cutLast(*counted, "/"); is {
		n, err := strconv.Atoi(size)
		if err != nil {
			panic(err)
		}
		cases[name](n)()
	}
	os.Exit(m.Run()) // writes the profile
}

func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

// countSlices counts the package slices too, since a search in it is a loop that does not
// look like one. Every package that imports it is compiled anew for that, which takes a
// minute or two.
var countSlices = flag.Bool("scale.slices", false, "count the statements of the package slices, too")

// TestStatements counts statements, since time would depend on the machine: coverage in the
// mode count records how many times each statement was executed.
func TestStatements(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "counted.test")
	packages := "github.com/jobflow-operator/jobflow-operator/internal/..."
	if *countSlices {
		packages += ",slices"
	}
	build := exec.Command("go", "test", "-c", "-o", program, "-ldflags=-w", "-covermode=count", "-coverpkg="+packages, ".")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, output)
	}
	for name := range cases {
		t.Run(name, func(t *testing.T) {
			var statements [3]float64
			for i, n := range []int{10, 100, 1000} {
				profile := filepath.Join(dir, "profile")
				run := exec.Command(program, "-test.run=^$", "-test.coverprofile="+profile, fmt.Sprintf("-scale.counted=%s/%d", name, n))
				if output, err := run.CombinedOutput(); err != nil {
					t.Fatalf("running: %v\n%s", err, output)
				}
				statements[i] = executed(t, profile)
			}
			checkLinear(t, "statements", statements, steepest)
		})
	}
}

// executed is the number of statements that a profile of coverage has counted. Its
// lines end in how many statements a block has, and how many times it was entered.
func executed(t *testing.T, profile string) (sum float64) {
	t.Helper()
	content, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue // the mode
		}
		var statements, times float64
		if _, err := fmt.Sscan(fields[1], &statements); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscan(fields[2], &times); err != nil {
			t.Fatal(err)
		}
		sum += statements * times
	}
	return sum
}
