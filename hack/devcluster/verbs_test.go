package main

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUsageErrors(t *testing.T) {
	for name, args := range map[string][]string{
		"no verb":                   nil,
		"an unknown verb":           {"frobnicate"},
		"an unknown flag":           {"up", "--foo"},
		"an argument to up":         {"up", "now"},
		"no nodes":                  {"up", "--nodes", "0"},
		"both modes":                {"up", "--real", "--simulated"},
		"a name with a slash":       {"down", "--name", "../x"},
		"load-image of nothing":     {"load-image"},
		"kill of nothing":           {"kill"},
		"pause of nothing":          {"pause"},
		"resume of nothing":         {"resume"},
		"kill-node of nothing":      {"kill-node"},
		"kill-node of two":          {"kill-node", "node1", "node2"},
		"an image without a name":   {"image", "--binary", "x", "--out", "y"},
		"an image with a bad name":  {"image", "--binary", "x", "--out", "y", "--name", "A:B:C"},
		"a status with an argument": {"status", "please"},
	} {
		t.Run(name, func(t *testing.T) {
			var usage usageError
			if err := dispatch(context.Background(), args); !errors.As(err, &usage) {
				t.Errorf("got %v, want a usage error", err)
			}
		})
	}
}

func TestFlagsMayFollowArguments(t *testing.T) {
	for name, tc := range map[string]struct {
		args, rest []string
		cluster    string
	}{
		"before":     {[]string{"--name", "x", "a", "b"}, []string{"a", "b"}, "x"},
		"after":      {[]string{"a", "b", "--name", "x"}, []string{"a", "b"}, "x"},
		"between":    {[]string{"a", "--name=x", "b"}, []string{"a", "b"}, "x"},
		"after a --": {[]string{"a", "--", "--name"}, []string{"a", "--name"}, defaultName},
	} {
		t.Run(name, func(t *testing.T) {
			fs := newFlags("test", "", "")
			cluster := nameFlag(fs)
			rest, err := parse(fs, tc.args)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.rest, rest); diff != "" {
				t.Errorf("arguments (-want +got):\n%s", diff)
			}
			if *cluster != tc.cluster {
				t.Errorf("cluster %q, want %q", *cluster, tc.cluster)
			}
		})
	}
}
