package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/apimachinery/pkg/util/wait"
)

// operator is the operator's program, as a process of its own.
type operator struct {
	cmd     *exec.Cmd
	log     *os.File
	metrics string
	exited  chan error
}

// startOperator returns when the operator's caches are full. ended is called should the
// operator end before it is stopped.
func (b *bench) startOperator(ctx context.Context, ended context.CancelCauseFunc) (*operator, error) {
	log, err := os.Create(filepath.Join(b.dir, "operator.log"))
	if err != nil {
		return nil, err
	}
	metrics, err := freeAddress()
	if err != nil {
		return nil, err
	}
	probes, err := freeAddress()
	if err != nil {
		return nil, err
	}
	o := &operator{log: log, metrics: "http://" + metrics + "/metrics", exited: make(chan error, 1)}
	o.cmd = exec.Command(b.manager, "--kubeconfig="+b.operatorKubeconfig, "--enable-webhooks=false",
		"--metrics-secure=false", "--metrics-bind-address="+metrics, "--health-probe-bind-address="+probes,
		"--zap-log-level=error")
	o.cmd.Stdout, o.cmd.Stderr = log, log
	if err := o.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		err := o.cmd.Wait()
		ended(fmt.Errorf("the operator ended, %s; see %s", o.cmd.ProcessState, log.Name()))
		o.exited <- err
	}()
	// The workers start once the caches are full, and this gauge with them. Then what is
	// there already is looked at.
	err = wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, 5*time.Minute, true, func(ctx context.Context) (bool, error) {
		var figures [3]float64
		for i, name := range []string{"controller_runtime_max_concurrent_reconciles", "workqueue_depth", "controller_runtime_active_workers"} {
			var err error
			if figures[i], err = o.metric(ctx, name); err != nil {
				return false, nil //nolint:nilerr // It does not serve them yet.
			}
		}
		return figures[0] > 0 && figures[1] == 0 && figures[2] == 0, nil
	})
	if err != nil {
		_ = o.stop()
		return nil, fmt.Errorf("starting the operator: %w", cause(ctx, err))
	}
	return o, nil
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// cause is why a context ended, where that is why something failed.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// stop asks the operator to end, which it is to do well.
func (o *operator) stop() error {
	defer o.log.Close() //nolint:errcheck // The process has written it; nothing is left to be flushed.
	if err := o.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := <-o.exited; err != nil {
		return fmt.Errorf("ending the operator: %w; see %s", err, o.log.Name())
	}
	return nil
}

// cpuSeconds is what the operator has used since its start.
func (o *operator) cpuSeconds() (float64, error) {
	content, err := os.ReadFile(o.proc("stat"))
	if err != nil {
		return 0, err
	}
	// The name of the program, in brackets, may have blanks.
	fields := strings.Fields(string(content[strings.LastIndexByte(string(content), ')')+1:]))
	const utime, stime, ticksPerSecond = 11, 12, 100
	user, err1 := strconv.ParseFloat(fields[utime], 64)
	system, err2 := strconv.ParseFloat(fields[stime], 64)
	return (user + system) / ticksPerSecond, errors.Join(err1, err2)
}

// memory is the resident set, now and at its peak, in MiB.
func (o *operator) memory() (now, peak float64, err error) {
	content, err := os.ReadFile(o.proc("status"))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(content)) {
		name, value, _ := strings.Cut(line, ":")
		into := map[string]*float64{"VmRSS": &now, "VmHWM": &peak}[name]
		if into == nil {
			continue
		}
		kibibytes, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
		if err != nil {
			return 0, 0, err
		}
		*into = kibibytes / 1024
	}
	return now, peak, nil
}

func (o *operator) proc(file string) string {
	return filepath.Join("/proc", strconv.Itoa(o.cmd.Process.Pid), file)
}

// metric is the sum of a metric of the operator over all its series.
func (o *operator) metric(ctx context.Context, name string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.metrics, http.NoBody)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close() //nolint:errcheck // It was read to its end.
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		return 0, fmt.Errorf("metrics: %s: %s", response.Status, text)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, series := range families[name].GetMetric() {
		sum += series.GetCounter().GetValue() + series.GetGauge().GetValue()
	}
	return sum, nil
}
