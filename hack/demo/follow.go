package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// seen is the status of one object, from a watch.
type seen struct {
	name    string
	state   v1alpha1.State
	message string
	runs    []v1alpha1.RunStatus
}

// follow applies the examples and prints a line for each change of their status
// until both have ended.
func (e *examples) follow(ctx context.Context, config *rest.Config, c client.Client) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	statuses, err := e.watch(ctx, config, c)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := e.create(ctx, c); err != nil {
		return err
	}
	printed := map[string]string{}
	ended := map[string]bool{}
	for len(ended) < len(e.objects()) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s", unfinished(printed))
		case s := <-statuses:
			for _, change := range s.changes(printed) {
				fmt.Printf("%6.1fs  %s\n", time.Since(start).Seconds(), change)
			}
			if s.state == v1alpha1.StateFailed {
				return fmt.Errorf("%s failed: %s", s.name, s.message)
			}
			if s.state == v1alpha1.StateSucceed {
				ended[s.name] = true
			}
		}
	}
	fmt.Printf("\nBoth have ended: %s.\n", v1alpha1.StateSucceed)
	return nil
}

// watch delivers each new status of the examples.
func (e *examples) watch(ctx context.Context, config *rest.Config, c client.Client) (<-chan seen, error) {
	statuses := make(chan seen)
	informers, err := cache.New(config, cache.Options{
		Scheme:            c.Scheme(),
		DefaultNamespaces: map[string]cache.Config{e.flow.Namespace: {}},
	})
	if err != nil {
		return nil, err
	}
	deliver := func(o any) {
		if s, ok := e.status(o); ok {
			select {
			case statuses <- s:
			case <-ctx.Done():
			}
		}
	}
	for _, kind := range e.objects() {
		informer, err := informers.GetInformer(ctx, kind, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, err
		}
		if _, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc:    deliver,
			UpdateFunc: func(_, now any) { deliver(now) },
		}); err != nil {
			return nil, err
		}
	}
	go func() {
		if err := informers.Start(ctx); err != nil {
			fmt.Println("watching:", err)
		}
	}()
	if !informers.WaitForCacheSync(ctx) {
		return nil, context.Cause(ctx)
	}
	return statuses, nil
}

func (e *examples) status(object any) (seen, bool) {
	switch o := object.(type) {
	case *v1alpha1.JobFlow:
		return seen{o.Name, o.Status.State, o.Status.Message, o.Status.Flows}, o.Name == e.flow.Name
	case *v1alpha1.DaemonJob:
		return seen{o.Name, o.Status.State, o.Status.Message, o.Status.Nodes}, o.Name == e.daemon.Name
	}
	return seen{}, false
}

// changes returns lines for what differs from printed, and updates printed. The steps come
// before the object, whose state follows from them.
func (s seen) changes(printed map[string]string) []string {
	var lines []string
	say := func(run, now string) {
		key := s.name + "/" + run
		if now != "" && printed[key] != now {
			printed[key] = now
			lines = append(lines, fmt.Sprintf("%-18s %-9s %s", s.name, run, now))
		}
	}
	for _, run := range s.runs {
		now := string(run.Phase)
		if run.Reason != "" {
			now += " (" + strings.TrimSuffix(run.Reason+": "+run.Message, ": ") + ")"
		}
		say(run.Name, now)
	}
	say("", string(s.state))
	return lines
}

func unfinished(printed map[string]string) string {
	if len(printed) == 0 {
		return "the operator has written no status; is it running?"
	}
	var open []string
	for key, now := range printed {
		if !strings.HasPrefix(now, string(v1alpha1.StateSucceed)) {
			open = append(open, key+" is "+now)
		}
	}
	return strings.Join(open, "; ")
}
