package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// operator is the real program, as a process.
type operator struct {
	process *exec.Cmd
	log     *os.File
	url     string
	ended   chan error
}

func startOperator(binary, kubeconfig, log string) (*operator, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	o := &operator{url: "http://" + address + "/metrics", ended: make(chan error, 1)}
	if o.log, err = os.Create(log); err != nil {
		return nil, err
	}
	o.process = exec.Command(binary,
		"--kubeconfig", kubeconfig,
		"--enable-webhooks=false",
		"--metrics-secure=false",
		"--metrics-bind-address", address,
		"--health-probe-bind-address", "0")
	o.process.Stdout, o.process.Stderr = o.log, o.log
	if err := o.process.Start(); err != nil {
		return nil, err
	}
	go func() { o.ended <- o.process.Wait() }()
	return o, nil
}

// stop ends it as the kubelet does.
func (o *operator) stop() error {
	if err := o.process.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	defer o.log.Close() //nolint:errcheck // The process has written it; nothing is left to be flushed.
	select {
	case err := <-o.ended:
		return err
	case <-time.After(30 * time.Second):
		return fmt.Errorf("does not end; killing it: %w", o.process.Process.Kill())
	}
}

// sample is one look at the operator.
type sample struct {
	at         time.Duration // since the load began
	flows      int           // that were created
	ended      int
	rss        int // KiB
	heapInUse  float64
	heapAlloc  float64
	goroutines float64
	reconciles float64
	errors     float64
	panics     float64
	queued     float64
	gcs        float64
}

// look reads the metrics and /proc.
func (o *operator) look(ctx context.Context) (sample, error) {
	families, err := o.scrape(ctx)
	if err != nil {
		return sample{}, err
	}
	s := sample{
		heapInUse:  total(families, "go_memstats_heap_inuse_bytes"),
		heapAlloc:  total(families, "go_memstats_heap_alloc_bytes"),
		goroutines: total(families, "go_goroutines"),
		reconciles: total(families, "controller_runtime_reconcile_total"),
		errors:     total(families, "controller_runtime_reconcile_errors_total"),
		panics:     total(families, "controller_runtime_reconcile_panics_total"),
		queued:     total(families, "workqueue_depth"),
		gcs:        total(families, "go_gc_duration_seconds"),
	}
	s.rss, err = o.memory("VmRSS")
	return s, err
}

func (o *operator) scrape(ctx context.Context) (map[string]*dto.MetricFamily, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.url, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // It was read to its end.
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("reading metrics: %s", response.Status)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	return parser.TextToMetricFamilies(response.Body)
}

// total is the sum of a metric over its labels; of a summary, the count.
func total(families map[string]*dto.MetricFamily, name string) float64 {
	var sum float64
	for _, metric := range families[name].GetMetric() {
		sum += metric.GetGauge().GetValue() + metric.GetCounter().GetValue() + float64(metric.GetSummary().GetSampleCount())
	}
	return sum
}

// memory is a line of /proc/PID/status, in KiB.
func (o *operator) memory(field string) (int, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", o.process.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(content)) {
		if value, found := strings.CutPrefix(line, field+":"); found {
			return strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")))
		}
	}
	return 0, fmt.Errorf("no %s in /proc", field)
}
