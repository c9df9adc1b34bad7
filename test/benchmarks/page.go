package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// page is what a run of the benchmark has to say.
type page struct {
	Machine  string    `json:"machine"`
	Versions string    `json:"versions"`
	Date     string    `json:"date"`
	Results  []*result `json:"results"`
}

func newPage(results []*result, versions string) *page {
	return &page{Machine: machine(), Versions: versions, Date: time.Now().UTC().Format(time.DateOnly), Results: results}
}

// machine names the processor, its number and the memory.
func machine() string {
	model, memory := runtime.GOARCH, ""
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	if info, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kibibytes float64
		if _, err := fmt.Sscanf(string(info), "MemTotal: %f kB", &kibibytes); err == nil {
			memory = fmt.Sprintf(", %.0f GiB", math.Round(kibibytes/(1<<20)))
		}
	}
	return fmt.Sprintf("%d cores of %s%s, %s", runtime.NumCPU(), model, memory, runtime.GOOS)
}

// columns are the metrics of the first table, in order.
var columns = []metric{wallRatio, addedP50, addedP99, writesPerStep, eventsPerStep, readsPerStep, reconciles, cpu, restRSS, peakRSS}

// table has a row a workload, as cells.
func (p *page) table() [][]string {
	header := []string{"", "workload", "steps", "floor, s", "operator, s"}
	for _, c := range columns {
		header = append(header, withUnit(c))
	}
	rows := [][]string{header}
	for _, r := range p.Results {
		row := []string{
			r.Key, r.Title, fmt.Sprint(r.Steps),
			number(medianOf(r.Floor, func(m *measurement) float64 { return m.Wall })),
			number(medianOf(r.Operator, func(m *measurement) float64 { return m.Wall })),
		}
		for _, c := range columns {
			row = append(row, number(c.of(r)))
		}
		rows = append(rows, row)
	}
	return rows
}

// goalTable has a row a goal, and how many of them are missed.
func (p *page) goalTable() (rows [][]string, missed int) {
	rows = [][]string{{"", "goal", "at most", "measured", ""}}
	add := func(key string, g goal, value float64) {
		verdict := "met"
		// What cannot be told is not met.
		if !(value <= g.most) {
			verdict = "MISSED"
			missed++
		}
		rows = append(rows, []string{key, withUnit(g.metric), number(g.most), number(value), verdict})
	}
	for _, r := range p.Results {
		for _, g := range r.goals {
			add(r.Key, g, g.metric.of(r))
		}
	}
	if all := p.together(meanOf); all != nil {
		for _, g := range mean {
			add(all.Key, g, g.metric.of(all))
		}
	}
	return rows, missed
}

// together is the sum of several workloads, nil unless all of them were measured.
func (p *page) together(keys []string) *result {
	sum := &result{Key: strings.Join(keys, "+")}
	found := 0
	for _, r := range p.Results {
		if !slices.Contains(keys, r.Key) {
			continue
		}
		found++
		sum.Steps += r.Steps
		for i := range r.Operator {
			if i == len(sum.Operator) {
				sum.Operator = append(sum.Operator, measurement{Requests: map[string]int{}})
			}
			for request, n := range r.Operator[i].Requests {
				sum.Operator[i].Requests[request] += n
			}
		}
	}
	if found < len(keys) {
		return nil
	}
	return sum
}

func withUnit(m metric) string {
	if m.unit == "" {
		return m.name
	}
	return m.name + ", " + m.unit
}

func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case math.Abs(v) >= 100:
		return fmt.Sprintf("%.0f", v)
	case math.Abs(v) >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// print writes the tables for a terminal, each workload's figures below each other.
func (p *page) print(out io.Writer) (missed int) {
	table := p.table()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, table := range [][][]string{table, p.requestTable()} {
		for column := range table[0] {
			if table[0][column] == "workload" {
				continue // the titles are too long
			}
			for row := range table {
				fmt.Fprintf(w, "%s\t", table[row][column])
			}
			fmt.Fprintln(w)
		}
		_ = w.Flush()
		fmt.Fprintln(out)
	}
	goals, missed := p.goalTable()
	for _, row := range goals {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush()
	return missed
}

// write makes benchmarks.md from its hand-written frame, and the plots and raw
// figures beside it.
func (p *page) write(dir string) error {
	file := filepath.Join(dir, "benchmarks.md")
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	const begin, end = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"
	head, rest, found := bytes.Cut(old, []byte(begin))
	_, tail, foundEnd := bytes.Cut(rest, []byte(end))
	if !found || !foundEnd {
		return fmt.Errorf("%s has no lines %q and %q to write between", file, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	content := slices.Concat(head, []byte(begin), []byte(p.markdown()), []byte(end), tail)
	if err := os.WriteFile(file, content, 0o644); err != nil {
		return err
	}
	assets := filepath.Join(dir, "benchmarks")
	if err := os.MkdirAll(assets, 0o755); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(assets, "raw.json"), append(raw, '\n'), 0o644); err != nil {
		return err
	}
	return p.plots(assets)
}

func (p *page) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nMeasured on %s, on %s; %s. %d runs of each workload on either side.\n\n",
		p.Date, p.Machine, p.Versions, len(p.Results[0].Operator))
	writeMarkdown(&b, p.table())
	b.WriteString("\n### Against the goals\n\n")
	goals, _ := p.goalTable()
	writeMarkdown(&b, goals)
	b.WriteString("\n![Wall time of operator and floor](benchmarks/wall.svg)\n\n![Edge latency of operator and floor](benchmarks/edges.svg)\n")
	b.WriteString("\n### Requests of the operator, by verb\n\n")
	writeMarkdown(&b, p.requestTable())
	b.WriteString("\nEvery run with every edge: [benchmarks/raw.json](benchmarks/raw.json).\n\n")
	return b.String()
}

// requestTable has what the operator asked of the API server, a step.
func (p *page) requestTable() [][]string {
	kinds := map[string]bool{}
	for _, r := range p.Results {
		for i := range r.Operator {
			for request := range r.Operator[i].Requests {
				kinds[request] = true
			}
		}
	}
	sorted := slices.Sorted(maps.Keys(kinds))
	rows := [][]string{append([]string{""}, sorted...)}
	for _, r := range p.Results {
		row := []string{r.Key}
		for _, request := range sorted {
			row = append(row, number(r.perStep(func(m *measurement) float64 { return float64(m.Requests[request]) })))
		}
		rows = append(rows, row)
	}
	return rows
}

func writeMarkdown(b *strings.Builder, rows [][]string) {
	for i, row := range rows {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(b, "|%s\n", strings.Repeat("---|", len(row)))
		}
	}
}
