package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strconv"
)

// flat says whether a series stays where it is: the median of its last quarter may be
// a tenth and some slack above that of the second quarter. The first quarter is the
// warm-up, in which the caches and the heap get their size.
func flat(series []float64, slack float64) (second, last float64, is bool) {
	quarter := len(series) / 4
	second = median(series[quarter : 2*quarter])
	last = median(series[len(series)-quarter:])
	return second, last, last <= 1.10*second+slack
}

func median(series []float64) float64 {
	if len(series) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(series))
	return sorted[len(sorted)/2]
}

// column is one figure of all samples.
func column(samples []sample, of func(*sample) float64) []float64 {
	series := make([]float64, len(samples))
	for i := range samples {
		series[i] = of(&samples[i])
	}
	return series
}

// curves are what has to stay flat, with the slack of each.
var curves = []struct {
	name, unit string
	of         func(*sample) float64
	slack      float64
}{
	{"resident memory", "MiB", func(s *sample) float64 { return float64(s.rss) / 1024 }, 8},
	{"heap in use", "MiB", func(s *sample) float64 { return s.heapInUse / mebi }, 8},
	{"goroutines", "", func(s *sample) float64 { return s.goroutines }, 100}, // those of Jobs that are created side by side; what leaks shows at rest
}

const mebi = 1 << 20

// writeCSV keeps the samples.
func writeCSV(path string, samples []sample) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := csv.NewWriter(file)
	rows := [][]string{{"seconds", "begun", "ended", "rss_kib", "heap_inuse_bytes", "heap_alloc_bytes", "goroutines",
		"reconciles", "reconcile_errors", "queue_depth", "gc_cycles"}}
	for i := range samples {
		s := &samples[i]
		row := []string{fmt.Sprintf("%.1f", s.at.Seconds()), strconv.Itoa(s.begun), strconv.Itoa(s.ended), strconv.Itoa(s.rss)}
		for _, value := range []float64{s.heapInUse, s.heapAlloc, s.goroutines, s.reconciles, s.errors, s.queued, s.gcs} {
			row = append(row, strconv.FormatFloat(value, 'f', -1, 64))
		}
		rows = append(rows, row)
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return file.Close()
}
