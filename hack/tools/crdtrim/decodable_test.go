package main

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodable(t *testing.T) {
	const generated = `^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$`
	const wanted = `^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?[0-9]+))?$`
	cases := map[string]struct{ schema, want map[string]any }{
		"a quantity": {
			map[string]any{"x-kubernetes-int-or-string": true, "pattern": generated},
			map[string]any{"x-kubernetes-int-or-string": true, "pattern": wanted},
		},
		"a quantity that is restricted already": {
			map[string]any{"x-kubernetes-int-or-string": true, "pattern": wanted},
			map[string]any{"x-kubernetes-int-or-string": true, "pattern": wanted},
		},
		"a number or name": {
			map[string]any{"x-kubernetes-int-or-string": true},
			map[string]any{"x-kubernetes-int-or-string": true, "minimum": math.MinInt32, "maximum": math.MaxInt32},
		},
		"any other string": {
			map[string]any{"type": "string", "pattern": generated},
			map[string]any{"type": "string", "pattern": generated},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			decodable(c.schema)
			if diff := cmp.Diff(c.want, c.schema); diff != "" {
				t.Error(diff)
			}
		})
	}
}
